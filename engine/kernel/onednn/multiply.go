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

// multiplication is one call of our own product kernel (k_product.h): dst = alpha · Σ src·w + bias + add over the taps of
// a convolution, of which a linear layer is the smallest. Weights are read as they lie; nothing is kept of them.
type multiplication struct {
	dst, src, w, bias, add  *kernel.Tensor
	batch, height, width, k int // of src
	oh, ow, n               int // of dst
	kh, kw                  int
	conv                    kernel.Conv
	grad                    bool // dst and src are the gradients of a forward pass's source and result
	alpha                   float32
}

// ours says whether the product kernel is the fastest that the machine has: all but AMX, which oneDNN knows how to use.
func (b *backend) ours(dt kernel.DType) bool { return dt == kernel.F32 || !b.amx }

func (b *backend) multiply(op string, m multiplication) error {
	dt := b.computeType(m.src)
	if m.k%2 != 0 {
		dt = kernel.F32 // a unit is a pair
	}
	src, err := b.operand(op, m.src, dt, C.EZ_SLOT_SRC)
	if err != nil {
		return err
	}
	bias, err := b.operand(op, m.bias, kernel.F32, C.EZ_SLOT_BIAS)
	if err != nil {
		return err
	}
	pair := 1
	if dt == kernel.BF16 {
		pair = 2
	}
	a := &b.args
	a.t = [10]C.ez_tensor{tensorOf(m.dst), {p: src, dt: C.long(dt)}, tensorOf(m.w), {p: bias}, tensorOf(m.add)}
	n := dims{m.batch, m.height, m.width, m.k, m.oh, m.ow, m.n, m.kh, m.kw, m.conv.Stride, m.conv.Top, m.conv.Left, int(flag(m.grad)), pair}
	for i, v := range n {
		a.n[i] = C.long(v)
	}
	a.f[0] = C.float(m.alpha)
	s := C.ez_call(C.EZ_K_product, a)
	runtime.KeepAlive(m)
	if s != 0 {
		return failure(op, s)
	}
	return nil
}

// tensorOf describes t to a kernel; an absent one has no memory.
func tensorOf(t *kernel.Tensor) C.ez_tensor {
	if t == nil {
		return C.ez_tensor{}
	}
	return C.ez_tensor{p: address(t), dt: C.long(t.DType)}
}
