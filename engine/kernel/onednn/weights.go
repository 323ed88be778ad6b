//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import (
	"runtime"

	"easel/engine/kernel"
)

// packed is what the backend keeps in a frozen weight's Packed: its forms, each once.
type packed struct {
	owner *backend
	forms []form
}

// form is a weight in a layout that a primitive wanted, or as in its file but in another type: that one serves a
// Linear's forward and backward pass alike.
type form struct {
	w       *C.ez_packed
	plain   bool
	dt      kernel.DType
	cleanup runtime.Cleanup // frees w after the weight
}

// serves says whether a primitive that computes in dt can use the form.
func (f form) serves(p *C.ez_prim, dt kernel.DType, plain bool) bool {
	if f.plain || plain {
		return f.plain == plain && f.dt == dt
	}
	return C.ez_packed_serves(f.w, p) != 0
}

// weights returns the address of w in the layout and type that p wants: w's own memory, a cached form where w is
// frozen, else scratch. dt is the type p computes in.
func (b *backend) weights(op string, p *C.ez_prim, w *kernel.Tensor, dt kernel.DType) (C.uintptr_t, error) {
	plain := C.ez_weights_plain(p) != 0
	if plain && w.DType == dt {
		return address(w), nil
	}
	if w.Frozen {
		return b.frozen(op, p, w, dt)
	}
	if plain {
		return b.operand(op, w, dt, C.EZ_SLOT_PLAIN)
	}
	to, err := scratch(op, C.EZ_SLOT_WEIGHTS, int(C.ez_weights_size(p)))
	if err != nil {
		return 0, err
	}
	return to, b.pack(op, p, w, dt, to)
}

// pack converts and reorders w into memory of the layout that p wants.
func (b *backend) pack(op string, p *C.ez_prim, w *kernel.Tensor, dt kernel.DType, to C.uintptr_t) error {
	if C.ez_weights_plain(p) != 0 {
		return b.convertTo(op, to, dt, w)
	}
	from, err := b.operand(op, w, dt, C.EZ_SLOT_PLAIN)
	if err != nil {
		return err
	}
	s := C.ez_weights_pack(p, from, to)
	runtime.KeepAlive(w)
	if s != 0 {
		return failure(op, s)
	}
	return nil
}

// frozen finds or makes the form of w that p wants.
func (b *backend) frozen(op string, p *C.ez_prim, w *kernel.Tensor, dt kernel.DType) (C.uintptr_t, error) {
	cache, ok := w.Packed.(*packed)
	if !ok || cache.owner != b {
		cache = &packed{owner: b}
		w.Packed = cache
	}
	plain := C.ez_weights_plain(p) != 0
	for _, f := range cache.forms {
		if f.serves(p, dt, plain) {
			return C.ez_packed_memory(f.w), nil
		}
	}
	f := form{w: C.ez_packed_new(p), plain: plain, dt: dt}
	if f.w == nil {
		return 0, failure(op, C.EZ_NOMEM)
	}
	to := C.ez_packed_memory(f.w)
	if err := b.pack(op, p, w, dt, to); err != nil {
		C.ez_packed_free(f.w)
		return 0, err
	}
	f.cleanup = runtime.AddCleanup(cache, func(w *C.ez_packed) { C.ez_packed_free(w) }, f.w)
	cache.forms = append(cache.forms, f)
	return to, nil
}

// unpack frees w's forms at once.
func unpack(w *kernel.Tensor) {
	cache, ok := w.Packed.(*packed)
	if !ok {
		return
	}
	for _, f := range cache.forms {
		f.cleanup.Stop()
		C.ez_packed_free(f.w)
	}
	w.Packed = nil
}
