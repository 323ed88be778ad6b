//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import "easel/engine/kernel"

// direct runs a convolution by our product kernel or by oneDNN.
func (b *backend) direct(op string, c convolution) error {
	switch d := c.shape.direction; {
	case d == C.EZ_GRAD_WEIGHT:
		return b.directGradWeight(op, c)
	case b.ours(b.computeType(c.source())):
		return b.multiply(op, c.multiplication())
	case d == C.EZ_FORWARD:
		return b.directForward(op, c)
	}
	return b.directGradInput(op, c)
}

// source is what a convolution and its gradient to the input read beside the weight.
func (c convolution) source() *kernel.Tensor {
	if c.shape.direction == C.EZ_GRAD_INPUT {
		return c.y
	}
	return c.x
}

// multiplication describes c for our product kernel.
func (c convolution) multiplication() multiplication {
	d := c.shape
	m := multiplication{dst: c.y, src: c.x, w: c.weight, bias: c.bias, add: c.addend, alpha: 1, batch: int(d.b), kh: int(d.kh), kw: int(d.kw),
		conv: kernel.Conv{Stride: int(d.stride), Top: int(d.top), Left: int(d.left)}}
	in, out := [3]int{int(d.h), int(d.w), int(d.i)}, [3]int{int(d.oh), int(d.ow), int(d.o)}
	if d.direction == C.EZ_GRAD_INPUT {
		m.dst, m.src, m.grad, in, out = c.x, c.y, true, out, in
	}
	m.height, m.width, m.k = in[0], in[1], in[2]
	m.oh, m.ow, m.n = out[0], out[1], out[2]
	return m
}

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

func (b *backend) directForward(op string, c convolution) error {
	dt := b.computeType(c.x)
	r, err := b.resultOf(op, c.y, dt)
	if err != nil {
		return err
	}
	d := c.shape
	d.dt, d.dst_dt, d.bias, d.add = C.long(dt), C.long(r.dt), flag(c.bias != nil), addend(r, c.addend)
	prim, err := b.convForward(op, &d, r, c.addend)
	if err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_SRC], err = b.operand(op, c.x, dt, C.EZ_SLOT_SRC); err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_WEIGHTS], err = b.weights(op, prim, c.weight, dt); err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_BIAS], err = b.operand(op, c.bias, kernel.F32, C.EZ_SLOT_BIAS); err != nil {
		return err
	}
	b.slots[C.EZ_ARG_ADD], b.slots[C.EZ_ARG_DST] = address(c.addend), r.p
	if err := b.run(op, prim, c.x, c.weight, c.bias, c.addend, c.y); err != nil {
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

func (b *backend) directGradInput(op string, c convolution) error {
	dt := b.computeType(c.y)
	r, err := b.resultOf(op, c.x, dt)
	if err != nil {
		return err
	}
	d := c.shape
	d.dt, d.dst_dt = C.long(dt), C.long(r.dt)
	prim, err := b.conv(op, d)
	if err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_DST], err = b.operand(op, c.y, dt, C.EZ_SLOT_SRC); err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_WEIGHTS], err = b.weights(op, prim, c.weight, dt); err != nil {
		return err
	}
	b.slots[C.EZ_ARG_SRC] = r.p
	if err := b.run(op, prim, c.y, c.weight, c.x); err != nil {
		return err
	}
	return b.store(op, r)
}

func (b *backend) directGradWeight(op string, c convolution) error {
	dt := b.computeType(c.x, c.y)
	d := c.shape
	d.dt, d.dst_dt = C.long(dt), C.EZ_F32
	prim, err := b.conv(op, d)
	if err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_SRC], err = b.operand(op, c.x, dt, C.EZ_SLOT_SRC); err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_DST], err = b.operand(op, c.y, dt, C.EZ_SLOT_ADD); err != nil {
		return err
	}
	if C.ez_weights_plain(prim) != 0 {
		b.slots[C.EZ_ARG_WEIGHTS] = address(c.weight)
		return b.run(op, prim, c.x, c.y, c.weight)
	}
	blocked, err := scratch(op, C.EZ_SLOT_WEIGHTS, int(C.ez_weights_size(prim)))
	if err != nil {
		return err
	}
	b.slots[C.EZ_ARG_WEIGHTS] = blocked
	if err := b.run(op, prim, c.x, c.y, c.weight); err != nil {
		return err
	}
	if s := C.ez_weights_unpack(prim, blocked, address(c.weight)); s != 0 {
		return failure(op, s)
	}
	return nil
}
