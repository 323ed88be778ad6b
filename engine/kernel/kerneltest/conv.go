package kerneltest

import (
	"fmt"
	"math"

	"easel/engine/kernel"
)

// convCase is a convolution of [b,h,w,in] with a size x size kernel.
type convCase struct {
	b, h, w, in, out, size int
	kernel.Conv
}

func same(pad int) kernel.Conv {
	return kernel.Conv{Stride: 1, Top: pad, Left: pad, Bottom: pad, Right: pad}
}

var convCases = []convCase{
	{1, 1, 1, 1, 1, 1, same(0)},
	{1, 1, 1, 3, 5, 3, same(1)},
	{3, 1, 7, 4, 8, 3, same(1)},
	{2, 9, 11, 5, 7, 3, same(1)},
	{1, 8, 8, 16, 32, 3, same(1)},
	{1, 16, 16, 32, 16, 3, same(1)},
	{2, 9, 11, 37, 43, 3, same(1)},
	{1, 1, 6, 17, 65, 3, same(1)},
	{3, 5, 1, 70, 19, 3, same(1)},
	{3, 5, 3, 7, 5, 1, same(0)},
	{1, 6, 10, 33, 17, 1, same(0)},
	{2, 7, 5, 3, 4, 3, same(0)},
	{2, 6, 5, 3, 4, 3, kernel.Conv{Stride: 1, Top: 2, Left: 0, Bottom: 1, Right: 2}},
	{2, 9, 12, 5, 3, 3, kernel.Conv{Stride: 2, Top: 1, Left: 1, Bottom: 1, Right: 1}},
	{1, 8, 10, 19, 21, 3, kernel.Conv{Stride: 2, Top: 1, Left: 1, Bottom: 1, Right: 1}},
	{2, 8, 10, 3, 5, 3, kernel.Conv{Stride: 2, Bottom: 1, Right: 1}},
	{1, 5, 7, 4, 6, 1, kernel.Conv{Stride: 2}},
	{1, 6, 8, 4, 6, 2, kernel.Conv{Stride: 3}}, // pixels that no output reads
	{1, 32, 48, 3, 6, 16, kernel.Conv{Stride: 16}},
	{3, 40, 33, 3, 5, 16, kernel.Conv{Stride: 16}},
}

func (c convCase) String() string {
	return fmt.Sprintf("%dx%dx%dx%d->%d kernel %d %v", c.b, c.h, c.w, c.in, c.out, c.size, c.Conv)
}

// convCalls gives every case forward with and without bias and with each way to add, and both gradients.
func convCalls(m types) []call {
	var calls []call
	for i, c := range convCases {
		s := newSource(c.String())
		oh, ow := c.OutSize(c.h, c.w, c.size, c.size)
		x := s.normal(1, m.x, c.b, c.h, c.w, c.in)
		w := s.normal(fanIn(c.in*c.size*c.size), m.w, c.out, c.in, c.size, c.size)
		dy := s.normal(1, m.x, c.b, oh, ow, c.out)
		for j, o := range []extras{{}, {bias: true}, {bias: true, add: distinct}, {add: aliased}} {
			if i > 4 && j != i%4 { // all four on the first few shapes, then in turn
				continue
			}
			y, bias, add := o.tensors(s, m, c.out, c.b, oh, ow, c.out)
			calls = append(calls, call{
				name: fmt.Sprintf("Conv2D %v %v", c, o), results: []*tensor{y}, inputs: []*tensor{x, w, bias, add}, weight: w, steps: 2, scale: 1,
				run: func(b backend, r, in []*tensor) error { return b.Conv2D(r[0], in[0], in[1], in[2], in[3], c.Conv) },
			})
		}
		calls = append(calls, call{
			name: "Conv2DGradInput " + c.String(), results: []*tensor{unwritten(m.y, x.Shape...)}, inputs: []*tensor{dy, w}, weight: w,
			steps: 2, scale: math.Sqrt(float64(c.out) / float64(c.in)),
			run: func(b backend, r, in []*tensor) error { return b.Conv2DGradInput(r[0], in[0], in[1], c.Conv) },
		}, call{
			name: "Conv2DGradWeight " + c.String(), results: []*tensor{unwritten(kernel.F32, w.Shape...)}, inputs: []*tensor{x, dy},
			steps: 2, scale: math.Sqrt(float64(c.b * oh * ow)),
			run: func(b backend, r, in []*tensor) error { return b.Conv2DGradWeight(r[0], in[0], in[1], c.Conv) },
		})
	}
	return calls
}

// The ways to pass the tensor to add.
const (
	none = iota
	distinct
	aliased // the result itself
)

// extras are the optional inputs of a product.
type extras struct {
	bias bool
	add  int
}

func (e extras) String() string {
	return fmt.Sprintf("bias %v, add %s", e.bias, [...]string{"nil", "distinct", "y"}[e.add])
}

// tensors makes a result of this shape and the optional inputs; bias has n elements.
func (e extras) tensors(s source, m types, n int, shape ...int) (y, bias, add *tensor) {
	y = unwritten(m.y, shape...)
	if e.bias {
		bias = s.normal(1, m.w, n)
	}
	switch e.add {
	case distinct:
		add = s.normal(1, m.x, shape...)
	case aliased:
		y = s.normal(1, m.y, shape...)
		add = y
	}
	return y, bias, add
}
