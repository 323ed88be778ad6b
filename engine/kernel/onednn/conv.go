//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import "easel/engine/kernel"

// convolution is a call of one of the three directions, each of which writes one of the tensors: y forward, or the
// gradient in x's or weight's place.
type convolution struct {
	shape                      C.ez_conv
	y, x, weight, bias, addend *kernel.Tensor
}

// reaches says whether padding is none or positive and the kernel lies within the padded picture, so that OutSize means
// what it says.
func reaches(x, w *kernel.Tensor, c kernel.Conv) bool {
	return min(c.Top, c.Left, c.Bottom, c.Right) >= 0 && x.Shape[1]+c.Top+c.Bottom >= w.Shape[2] && x.Shape[2]+c.Left+c.Right >= w.Shape[3]
}

// convolutionOf checks the shapes of a convolution, y[b,oh,ow,o] from x[b,h,w,i].
func convolutionOf(op string, y, x, w *kernel.Tensor, c kernel.Conv, direction C.long) (convolution, error) {
	if err := need(op, usable(y, x, w) && len(y.Shape) == 4 && len(x.Shape) == 4 && len(w.Shape) == 4 && c.Stride > 0 && reaches(x, w, c)); err != nil {
		return convolution{}, err
	}
	oh, ow := c.OutSize(x.Shape[1], x.Shape[2], w.Shape[2], w.Shape[3])
	err := need(op, y.Shape[0] == x.Shape[0] && y.Shape[1] == oh && y.Shape[2] == ow && y.Shape[3] == w.Shape[0] && x.Shape[3] == w.Shape[1])
	return convolution{y: y, x: x, weight: w, shape: C.ez_conv{
		b: C.long(x.Shape[0]), h: C.long(x.Shape[1]), w: C.long(x.Shape[2]), i: C.long(x.Shape[3]),
		oh: C.long(oh), ow: C.long(ow), o: C.long(w.Shape[0]), kh: C.long(w.Shape[2]), kw: C.long(w.Shape[3]),
		stride: C.long(c.Stride), top: C.long(c.Top), left: C.long(c.Left), bottom: C.long(c.Bottom), right: C.long(c.Right),
		direction: direction,
	}}, err
}

// pointwise says whether a convolution is a Linear in disguise.
func pointwise(w *kernel.Tensor, c kernel.Conv) bool {
	return len(w.Shape) == 4 && w.Shape[2] == 1 && w.Shape[3] == 1 && c == kernel.Conv{Stride: 1}
}

func (b *backend) Conv2D(y, x, w, bias, add *kernel.Tensor, c kernel.Conv) error {
	const op = "convolution"
	d, err := convolutionOf(op, y, x, w, c, C.EZ_FORWARD)
	if err != nil || y.Len() == 0 {
		return err
	}
	if pointwise(w, c) {
		return b.Linear(y, x, w, bias, add, 1)
	}
	if err := need(op, extras(y, bias, add, w.Shape[0])); err != nil {
		return err
	}
	d.bias, d.addend = bias, add
	return b.convolve(op, d)
}

func (b *backend) Conv2DGradInput(dx, dy, w *kernel.Tensor, c kernel.Conv) error {
	const op = "convolution gradient"
	d, err := convolutionOf(op, dy, dx, w, c, C.EZ_GRAD_INPUT)
	if err != nil || dx.Len() == 0 {
		return err
	}
	if pointwise(w, c) {
		return b.LinearGradInput(dx, dy, w, nil, 1)
	}
	return b.convolve(op, d)
}

func (b *backend) Conv2DGradWeight(dw, x, dy *kernel.Tensor, c kernel.Conv) error {
	const op = "convolution weight gradient"
	d, err := convolutionOf(op, dy, x, dw, c, C.EZ_GRAD_WEIGHT)
	if err == nil {
		err = need(op, f32(dw) && dy.Len() > 0)
	}
	if err != nil {
		return err
	}
	if pointwise(dw, c) {
		return b.LinearGradWeight(dw, x, dy, 1)
	}
	return b.convolve(op, d)
}

// convolve runs a convolution by the algorithm for it.
func (b *backend) convolve(op string, c convolution) error {
	a, err := b.algorithmFor(op, c)
	switch {
	case err != nil:
		return err
	case a == winograd:
		return b.winograd(op, c)
	}
	return b.direct(op, c)
}

// result is the tensor that c writes.
func (c *convolution) result() **kernel.Tensor {
	return [...]**kernel.Tensor{C.EZ_FORWARD: &c.y, C.EZ_GRAD_INPUT: &c.x, C.EZ_GRAD_WEIGHT: &c.weight}[c.shape.direction]
}
