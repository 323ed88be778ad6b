//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import "easel/engine/kernel"

// conv finds or makes a convolution. An addend of its own is refused where the code is not brgconv: oneDNN 2.6's older
// convolutions add it wrongly when channels are no multiple of their block.
func (b *backend) conv(op string, c C.ez_conv) (*C.ez_prim, error) {
	p, known := b.convs[c]
	if !known {
		if s := C.ez_conv_new(&c, &p); s != 0 && c.add != C.EZ_ADD_OTHER {
			return nil, failure(op, s)
		}
		if c.add == C.EZ_ADD_OTHER && p != nil && !implementation(p, "brgconv") {
			C.ez_prim_free(p)
			p = nil
		}
		keep(b.convs, c, p)
	}
	if p == nil {
		return nil, failure(op, C.EZ_UNIMPLEMENTED)
	}
	return p, nil
}

// reaches says whether padding is none or positive and the kernel lies within the padded picture, so that OutSize means
// what it says.
func reaches(x, w *kernel.Tensor, c kernel.Conv) bool {
	return min(c.Top, c.Left, c.Bottom, c.Right) >= 0 && x.Shape[1]+c.Top+c.Bottom >= w.Shape[2] && x.Shape[2]+c.Left+c.Right >= w.Shape[3]
}

// convShape checks the shapes of a convolution, y[b,oh,ow,o] from x[b,h,w,i], and fills its description.
func convShape(op string, y, x, w *kernel.Tensor, c kernel.Conv) (C.ez_conv, error) {
	if err := need(op, usable(y, x, w) && len(y.Shape) == 4 && len(x.Shape) == 4 && len(w.Shape) == 4 && c.Stride > 0 && reaches(x, w, c)); err != nil {
		return C.ez_conv{}, err
	}
	oh, ow := c.OutSize(x.Shape[1], x.Shape[2], w.Shape[2], w.Shape[3])
	err := need(op, y.Shape[0] == x.Shape[0] && y.Shape[1] == oh && y.Shape[2] == ow && y.Shape[3] == w.Shape[0] && x.Shape[3] == w.Shape[1])
	return C.ez_conv{
		b: C.long(x.Shape[0]), h: C.long(x.Shape[1]), w: C.long(x.Shape[2]), i: C.long(x.Shape[3]),
		oh: C.long(oh), ow: C.long(ow), o: C.long(w.Shape[0]), kh: C.long(w.Shape[2]), kw: C.long(w.Shape[3]),
		stride: C.long(c.Stride), top: C.long(c.Top), left: C.long(c.Left), bottom: C.long(c.Bottom), right: C.long(c.Right),
	}, err
}

// pointwise says whether a convolution is a Linear in disguise.
func pointwise(w *kernel.Tensor, c kernel.Conv) bool {
	return len(w.Shape) == 4 && w.Shape[2] == 1 && w.Shape[3] == 1 && c == kernel.Conv{Stride: 1}
}

func (b *backend) Conv2D(y, x, w, bias, add *kernel.Tensor, c kernel.Conv) error {
	const op = "convolution"
	d, err := convShape(op, y, x, w, c)
	if err != nil || y.Len() == 0 {
		return err
	}
	if pointwise(w, c) {
		return b.Linear(y, x, w, bias, add, 1)
	}
	if err := need(op, extras(y, bias, add, w.Shape[0])); err != nil {
		return err
	}
	if b.prefersWinograd(w, c) {
		return b.winograd(op, y, x, w, bias, add, false)
	}
	dt := b.computeType(x)
	r, err := b.resultOf(op, y, dt)
	if err != nil {
		return err
	}
	d.dt, d.dst_dt, d.bias, d.add = C.long(dt), C.long(r.dt), flag(bias != nil), addend(r, add)
	prim, err := b.convForward(op, &d, r, add)
	if err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_SRC], err = b.operand(op, x, dt, C.EZ_SLOT_SRC); err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_WEIGHTS], err = b.weights(op, prim, w, dt); err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_BIAS], err = b.operand(op, bias, kernel.F32, C.EZ_SLOT_BIAS); err != nil {
		return err
	}
	b.slots[C.EZ_ARG_ADD], b.slots[C.EZ_ARG_DST] = address(add), r.p
	if err := b.run(op, prim, x, w, bias, add, y); err != nil {
		return err
	}
	return b.store(op, r)
}

// convForward finds the primitive of d; an addend that cannot be an operand of its own is copied into the result.
func (b *backend) convForward(op string, d *C.ez_conv, r result, add *kernel.Tensor) (*C.ez_prim, error) {
	if d.add == C.EZ_ADD_OTHER {
		d.add_dt = C.long(add.DType)
		if p, err := b.conv(op, *d); err == nil {
			return p, nil
		}
		d.add, d.add_dt = C.EZ_ADD_IN_PLACE, 0
		if err := b.convertTo(op, r.p, r.dt, add); err != nil {
			return nil, err
		}
	}
	return b.conv(op, *d)
}

func (b *backend) Conv2DGradInput(dx, dy, w *kernel.Tensor, c kernel.Conv) error {
	const op = "convolution gradient"
	d, err := convShape(op, dy, dx, w, c)
	if err != nil || dx.Len() == 0 {
		return err
	}
	if pointwise(w, c) {
		return b.LinearGradInput(dx, dy, w, nil, 1)
	}
	if b.prefersWinograd(w, c) {
		return b.winograd(op, dx, dy, w, nil, nil, true)
	}
	dt := b.computeType(dy)
	r, err := b.resultOf(op, dx, dt)
	if err != nil {
		return err
	}
	d.direction, d.dt, d.dst_dt = C.EZ_GRAD_INPUT, C.long(dt), C.long(r.dt)
	prim, err := b.conv(op, d)
	if err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_DST], err = b.operand(op, dy, dt, C.EZ_SLOT_SRC); err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_WEIGHTS], err = b.weights(op, prim, w, dt); err != nil {
		return err
	}
	b.slots[C.EZ_ARG_SRC] = r.p
	if err := b.run(op, prim, dy, w, dx); err != nil {
		return err
	}
	return b.store(op, r)
}

func (b *backend) Conv2DGradWeight(dw, x, dy *kernel.Tensor, c kernel.Conv) error {
	const op = "convolution weight gradient"
	d, err := convShape(op, dy, x, dw, c)
	if err == nil {
		err = need(op, f32(dw) && dy.Len() > 0)
	}
	if err != nil {
		return err
	}
	if pointwise(dw, c) {
		return b.LinearGradWeight(dw, x, dy, 1)
	}
	dt := b.computeType(x, dy)
	d.direction, d.dt, d.dst_dt = C.EZ_GRAD_WEIGHT, C.long(dt), C.EZ_F32
	prim, err := b.conv(op, d)
	if err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_SRC], err = b.operand(op, x, dt, C.EZ_SLOT_SRC); err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_DST], err = b.operand(op, dy, dt, C.EZ_SLOT_ADD); err != nil {
		return err
	}
	if C.ez_weights_plain(prim) != 0 {
		b.slots[C.EZ_ARG_WEIGHTS] = address(dw)
		return b.run(op, prim, x, dy, dw)
	}
	blocked, err := scratch(op, C.EZ_SLOT_WEIGHTS, int(C.ez_weights_size(prim)))
	if err != nil {
		return err
	}
	b.slots[C.EZ_ARG_WEIGHTS] = blocked
	if err := b.run(op, prim, x, dy, dw); err != nil {
		return err
	}
	if s := C.ez_weights_unpack(prim, blocked, address(dw)); s != 0 {
		return failure(op, s)
	}
	return nil
}
