//go:build cgo && linux && amd64

package onednn

/*
#cgo CFLAGS: -O3 -fopenmp -Wall
#cgo LDFLAGS: -ldnnl -lm -fopenmp
#include "ez.h"
*/
import "C"

import (
	"runtime"
	"slices"
	"unsafe"

	"easel/engine"
	"easel/engine/kernel"
)

// backend implements kernel.Backend. It is used from one OS thread; scratch memory and the choice of kernels belong to the
// process, so two backends must not run at the same time.
type backend struct {
	native  bool // bf16 products in hardware
	amx     bool // by tiles
	threads int
	fixed   algorithm // Options.Convolution
	choices *choices  // nil where nothing is measured

	matmuls map[C.ez_matmul]*C.ez_prim
	convs   map[C.ez_conv]*C.ez_prim
	chosen  map[convKey]algorithm
	args    C.ez_args
	slots   [C.EZ_ARGS]C.uintptr_t
}

// Available says whether this build holds the backend.
func Available() bool { return true }

// New starts the backend. An unknown Options.ISA or an impossible Options.Threads gives a BadInput error. The backend
// tells the size of its team to kernel.Threads.
func New(opt Options) (kernel.Backend, error) {
	const op = "start oneDNN"
	isa, level, ok := capOf(opt.ISA)
	if !ok {
		return nil, engine.Errorf(op, "", engine.BadInput, "unknown instruction set %q", opt.ISA)
	}
	if !slices.Contains([]algorithm{"", direct, winograd}, algorithm(opt.Convolution)) {
		return nil, engine.Errorf(op, "", engine.BadInput, "unknown convolution %q", opt.Convolution)
	}
	threads, err := teamSize(op, opt.Threads)
	if err != nil {
		return nil, err
	}
	if s := C.ez_dnnl_init(C.int(isa)); s != 0 {
		return nil, failure(op, s)
	}
	C.ez_init(C.int(threads), C.int(level))
	b := &backend{
		native:  HasBF16(),
		amx:     ISA() == "avx512_core_amx",
		threads: threads,
		fixed:   algorithm(opt.Convolution),
		matmuls: map[C.ez_matmul]*C.ez_prim{},
		convs:   map[C.ez_conv]*C.ez_prim{},
		chosen:  map[convKey]algorithm{},
	}
	if opt.Cache != "" {
		b.choices = openChoices(opt.Cache, b.Name(), threads)
	}
	return b, nil
}

// Name is "onednn" with the instruction set.
func (b *backend) Name() string { return "onednn " + ISA() }

// Threads is the size of the team.
func (b *backend) Threads() int { return b.threads }

// Close frees primitives and scratch memory. Packed weights are freed with their tensors.
func (b *backend) Close() error {
	forget(b.matmuls)
	forget(b.convs)
	C.ez_free_scratch()
	return nil
}

// failure turns a status of oneDNN or of our kernels into an error.
func failure(op string, s C.int) error {
	switch s {
	case C.EZ_NOMEM:
		return engine.Errorf(op, "", engine.OutOfMemory, "not enough memory")
	case C.EZ_INVALID:
		return engine.Errorf(op, "", engine.Internal, "oneDNN refused the arguments")
	case C.EZ_UNIMPLEMENTED:
		return engine.Errorf(op, "", engine.Unsupported, "oneDNN has no implementation for these types and shapes")
	}
	return engine.Errorf(op, "", engine.Internal, "oneDNN status %d", int(s))
}

// need is the check of a call's shapes and types.
func need(op string, ok bool) error {
	if ok {
		return nil
	}
	return engine.Errorf(op, "", engine.Internal, "tensors of wrong shape or type")
}

// address is a tensor's memory as an integer; 0 for nil. The caller keeps the tensor alive during the call. Go's
// collector does not move heap objects, and tensors that reach here through the interface are on the heap.
func address(t *kernel.Tensor) C.uintptr_t {
	if t == nil || len(t.Data) == 0 {
		return 0
	}
	return C.uintptr_t(uintptr(unsafe.Pointer(unsafe.SliceData(t.Data))))
}

// usable says whether all tensors are there, with all the memory that their shapes ask for.
func usable(ts ...*kernel.Tensor) bool {
	for _, t := range ts {
		if t == nil || !whole(t) {
			return false
		}
	}
	return true
}

// whole says whether a tensor has all the memory that its shape asks for. nil counts as whole.
func whole(t *kernel.Tensor) bool {
	return t == nil || !slices.ContainsFunc(t.Shape, func(d int) bool { return d < 0 }) && len(t.Data) >= t.Len()*t.DType.Size()
}

// call runs a fused kernel on tensors (nil for an absent one) with integers n and numbers f, as its C comment lists.
func (b *backend) call(op string, id C.int, ts []*kernel.Tensor, n []int, f ...float32) error {
	a := &b.args
	for i, t := range ts {
		if !whole(t) {
			return need(op, false)
		}
		a.t[i] = tensorOf(t)
	}
	for i, v := range n {
		a.n[i] = C.long(v)
	}
	for i, v := range f {
		a.f[i] = C.float(v)
	}
	s := C.ez_call(id, a)
	runtime.KeepAlive(ts)
	if s != 0 {
		return failure(op, s)
	}
	return nil
}

type tensors = []*kernel.Tensor
type dims = []int

// f32 says whether all of these are usable and F32.
func f32(ts ...*kernel.Tensor) bool {
	for _, t := range ts {
		if !usable(t) || t.DType != kernel.F32 {
			return false
		}
	}
	return true
}
