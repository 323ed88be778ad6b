//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import "easel/engine/kernel"

// same says whether all tensors are usable and have as many elements as the first.
func same(x *kernel.Tensor, ts ...*kernel.Tensor) bool {
	if !usable(x) || !usable(ts...) {
		return false
	}
	for _, t := range ts {
		if t.Len() != x.Len() {
			return false
		}
	}
	return true
}

func (b *backend) Activate(y, x *kernel.Tensor, f kernel.Activation) error {
	if err := need("activation", same(y, x) && f <= kernel.Mish); err != nil {
		return err
	}
	return b.call("activation", C.EZ_K_activate, tensors{y, x}, dims{x.Len(), int(f)})
}

func (b *backend) ActivateGrad(dx, x, dy *kernel.Tensor, f kernel.Activation) error {
	if err := need("activation gradient", same(dx, x, dy) && f <= kernel.Mish); err != nil {
		return err
	}
	return b.call("activation gradient", C.EZ_K_activate_grad, tensors{dx, x, dy}, dims{x.Len(), int(f)})
}

func (b *backend) GEGLU(y, x *kernel.Tensor) error {
	if err := need("GEGLU", usable(y, x) && x.Channels() == 2*y.Channels() && x.Len() == 2*y.Len()); err != nil {
		return err
	}
	return b.call("GEGLU", C.EZ_K_geglu, tensors{y, x}, dims{y.Rows(), y.Channels()})
}

func (b *backend) GEGLUGrad(dx, x, dy *kernel.Tensor) error {
	if err := need("GEGLU gradient", same(dx, x) && usable(dy) && x.Channels() == 2*dy.Channels() && x.Len() == 2*dy.Len()); err != nil {
		return err
	}
	return b.call("GEGLU gradient", C.EZ_K_geglu_grad, tensors{dx, x, dy}, dims{dy.Rows(), dy.Channels()})
}

func (b *backend) Add(y, p, q *kernel.Tensor, s float32) error {
	if err := need("add", same(y, p, q)); err != nil {
		return err
	}
	return b.call("add", C.EZ_K_add, tensors{y, p, q}, dims{y.Len()}, s)
}

func (b *backend) AddChannels(y, x, t *kernel.Tensor) error {
	const op = "add to channels"
	if err := need(op, same(y, x) && usable(t) && len(x.Shape) > 0 && (t.Len() == x.Channels() || t.Len() == x.Shape[0]*x.Channels())); err != nil {
		return err
	}
	c := x.Channels()
	batch := t.Len() / max(c, 1)
	return b.call(op, C.EZ_K_add_channels, tensors{y, x, t}, dims{batch, x.Rows() / max(batch, 1), c})
}

func (b *backend) SumPixels(out, x *kernel.Tensor) error {
	const op = "pixel sums"
	if err := need(op, usable(out, x) && len(x.Shape) > 1 && x.Len() > 0 && out.Len() == x.Shape[0]*x.Channels()); err != nil {
		return err
	}
	return b.call(op, C.EZ_K_col_sums, tensors{out, x}, dims{x.Shape[0], x.Rows() / x.Shape[0], x.Channels()})
}

func (b *backend) Mul(y, p, q *kernel.Tensor) error {
	if err := need("multiply", same(y, p, q)); err != nil {
		return err
	}
	return b.call("multiply", C.EZ_K_mul, tensors{y, p, q}, dims{y.Len()})
}

func (b *backend) Scale(y, x *kernel.Tensor, s float32) error {
	if err := need("scale", same(y, x)); err != nil {
		return err
	}
	return b.call("scale", C.EZ_K_scale, tensors{y, x}, dims{y.Len()}, s)
}

func (b *backend) Convert(y, x *kernel.Tensor) error {
	if err := need("convert", same(y, x)); err != nil {
		return err
	}
	return b.call("convert", C.EZ_K_convert, tensors{y, x}, dims{y.Len()})
}
