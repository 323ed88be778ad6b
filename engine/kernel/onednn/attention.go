//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import (
	"math"

	"easel/engine/kernel"
)

// headDims checks the shapes of an attention and lists its kernel's integers and scale.
func headDims(op string, o, lse, q, k, v *kernel.Tensor, heads int, causal bool) (dims, float32, error) {
	if err := need(op, usable(o, q, k, v) && len(q.Shape) > 1 && len(k.Shape) > 1 && heads > 0 && q.Len() > 0 && k.Len() > 0); err != nil {
		return nil, 0, err
	}
	batch, width := q.Shape[0], q.Channels()
	tq, tk, d := q.Len()/(batch*width), k.Len()/(batch*width), width/heads
	err := need(op, d*heads == width && k.Shape[0] == batch && k.Channels() == width && v.Len() == k.Len() && o.Len() == q.Len() &&
		f32(lse) && lse.Len() == batch*heads*tq)
	return dims{batch, heads, d, tq, tk, int(flag(causal))}, float32(1 / math.Sqrt(float64(d))), err
}

func (b *backend) Attention(o, lse, q, k, v *kernel.Tensor, heads int, causal bool) error {
	n, scale, err := headDims("attention", o, lse, q, k, v, heads, causal)
	if err != nil {
		return err
	}
	return b.call("attention", C.EZ_K_attention, tensors{o, lse, q, k, v}, n, scale)
}

func (b *backend) AttentionGrad(dq, dk, dv, q, k, v, o, lse, do *kernel.Tensor, heads int, causal bool) error {
	const op = "attention gradient"
	n, scale, err := headDims(op, o, lse, q, k, v, heads, causal)
	if err == nil {
		err = need(op, same(q, dq, do) && same(k, dk, dv))
	}
	if err != nil {
		return err
	}
	return b.call(op, C.EZ_K_attention_grad, tensors{dq, dk, dv, q, k, v, o, lse, do}, n, scale)
}

func (b *backend) Softmax(y, x *kernel.Tensor) error {
	if err := need("softmax", same(y, x)); err != nil {
		return err
	}
	return b.call("softmax", C.EZ_K_softmax, tensors{y, x}, dims{x.Rows(), x.Channels()})
}

func (b *backend) SoftmaxGrad(dx, y, dy *kernel.Tensor) error {
	if err := need("softmax gradient", same(y, dx, dy)); err != nil {
		return err
	}
	return b.call("softmax gradient", C.EZ_K_softmax_grad, tensors{dx, y, dy}, dims{y.Rows(), y.Channels()})
}
