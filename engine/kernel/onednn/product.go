//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import (
	"runtime"
	"strings"
	"unsafe"

	"easel/engine/kernel"
)

// computeType is BF16 where all operands are BF16 and the machine multiplies it, else F32.
func (b *backend) computeType(operands ...*kernel.Tensor) kernel.DType {
	for _, t := range operands {
		if t.DType != kernel.BF16 || !b.native {
			return kernel.F32
		}
	}
	return kernel.BF16
}

// scratch returns a growable buffer; a slot holds one buffer at a time.
func scratch(op string, slot, bytes int) (C.uintptr_t, error) {
	p := C.ez_scratch(C.int(slot), C.size_t(bytes))
	if p == nil {
		return 0, failure(op, C.EZ_NOMEM)
	}
	return C.uintptr_t(uintptr(p)), nil
}

// operand returns the address of t's elements as dt, converted into a scratch slot where t has another type.
func (b *backend) operand(op string, t *kernel.Tensor, dt kernel.DType, slot int) (C.uintptr_t, error) {
	if t == nil {
		return 0, nil
	}
	if t.DType == dt {
		return address(t), nil
	}
	p, err := scratch(op, slot, t.Len()*dt.Size())
	if err != nil {
		return 0, err
	}
	return p, b.convertTo(op, p, dt, t)
}

// convertTo writes t's elements to memory as dt.
func (b *backend) convertTo(op string, p C.uintptr_t, dt kernel.DType, t *kernel.Tensor) error {
	a := &b.args
	a.t[0] = C.ez_tensor{p: p, dt: C.long(dt)}
	a.t[1] = C.ez_tensor{p: address(t), dt: C.long(t.DType)}
	a.n[0] = C.long(t.Len())
	s := C.ez_call(C.EZ_K_convert, a)
	runtime.KeepAlive(t)
	if s != 0 {
		return failure(op, s)
	}
	return nil
}

// result is where a primitive writes: the tensor itself, or scratch of a type that the primitive can write.
type result struct {
	t  *kernel.Tensor
	p  C.uintptr_t
	dt kernel.DType
}

// resultOf prepares t as the result of a primitive that computes in dt. BF16 products write F32 or BF16, F32 products F32.
func (b *backend) resultOf(op string, t *kernel.Tensor, dt kernel.DType) (result, error) {
	if t.DType == kernel.F32 || t.DType == dt {
		return result{t, address(t), t.DType}, nil
	}
	p, err := scratch(op, C.EZ_SLOT_DST, 4*t.Len())
	return result{t, p, kernel.F32}, err
}

// store converts what was written to scratch.
func (b *backend) store(op string, r result) error {
	if r.dt == r.t.DType {
		return nil
	}
	a := &b.args
	a.t[0] = C.ez_tensor{p: address(r.t), dt: C.long(r.t.DType)}
	a.t[1] = C.ez_tensor{p: r.p, dt: C.long(r.dt)}
	a.n[0] = C.long(r.t.Len())
	s := C.ez_call(C.EZ_K_convert, a)
	runtime.KeepAlive(r.t)
	if s != 0 {
		return failure(op, s)
	}
	return nil
}

// addend decides how add enters a primitive whose result is r: not at all, as what the result already holds, or as an
// operand of its own.
func addend(r result, add *kernel.Tensor) C.long {
	switch {
	case add == nil:
		return C.EZ_ADD_NONE
	case r.dt == r.t.DType && add.DType == r.dt && address(add) == r.p:
		return C.EZ_ADD_IN_PLACE
	}
	return C.EZ_ADD_OTHER
}

// implementation says whether the name that oneDNN gives its code for p starts so.
func implementation(p *C.ez_prim, prefix string) bool {
	return strings.HasPrefix(C.GoString(C.ez_prim_impl(p)), prefix)
}

// run executes a primitive; ts are the tensors behind the slots, kept alive.
func (b *backend) run(op string, p *C.ez_prim, ts ...*kernel.Tensor) error {
	s := C.ez_run(p, (*C.uintptr_t)(unsafe.Pointer(&b.slots)))
	runtime.KeepAlive(ts)
	if s != 0 {
		return failure(op, s)
	}
	return nil
}
