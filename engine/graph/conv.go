package graph

import (
	"fmt"

	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// Conv2D convolves x [batch, height, width, in] with w [out, in, kh, kw]; bias [out] or nil. A 1x1 convolution of
// stride 1 without padding is a Linear.
func (g *Graph) Conv2D(x, w, bias *Node, c kernel.Conv) *Node {
	if g.err == nil && w != nil && c == (kernel.Conv{Stride: 1}) && kernel.Len(w.Shape()) == w.Shape()[0]*w.Shape()[1] {
		return g.Linear(x, w, bias, 1)
	}
	if bias == nil {
		return g.add(conv{c}, x, w)
	}
	return g.add(conv{c}, x, w, bias)
}

// Same is the padding that keeps the size for an odd kernel of stride 1: "padding = kernel/2" in PyTorch's terms.
func Same(kernelSize, stride int) kernel.Conv {
	p := kernelSize / 2
	return kernel.Conv{Stride: stride, Top: p, Left: p, Bottom: p, Right: p}
}

type conv struct{ kernel.Conv }

func (c conv) name() string { return "conv" }

func (c conv) shape(in []tensor.Shape) (tensor.Shape, error) {
	x, w := in[0], in[1]
	if len(x) != 4 || len(w) != 4 || x[3] != w[1] {
		return nil, fmt.Errorf("input %v does not fit weight %v", x, w)
	}
	h, wd := c.OutSize(x[1], x[2], w[2], w[3])
	if h < 1 || wd < 1 {
		return nil, fmt.Errorf("input %v is smaller than the kernel %v", x, w)
	}
	return tensor.Shape{x[0], h, wd, w[0]}, nil
}

func (c conv) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return c.runAdd(b, out[0], in, nil)
}

func (c conv) runAdd(b kernel.Backend, out *kernel.Tensor, in []*kernel.Tensor, add *kernel.Tensor) error {
	return b.Conv2D(out, in[0], in[1], third(in), add, c.Conv)
}

func (c conv) flops(in []tensor.Shape, out tensor.Shape) float64 {
	return 2 * float64(kernel.Len(out)) * float64(kernel.Len(in[1][1:]))
}

func (c conv) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	grads := make([]*Node, len(in))
	if want[0] {
		grads[0] = g.add(convGradInput{c.Conv, in[0].Shape()}, dy, in[1])
	}
	if want[1] {
		grads[1] = g.add(convGradWeight{c.Conv, in[1].Shape()}, in[0], dy)
	}
	if len(in) == 3 && want[2] {
		grads[2] = g.add(sumRows{}, dy)
	}
	return grads
}

type convGradInput struct {
	kernel.Conv
	of tensor.Shape
}

func (c convGradInput) name() string                               { return "conv dx" }
func (c convGradInput) shape([]tensor.Shape) (tensor.Shape, error) { return c.of, nil }
func (c convGradInput) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.Conv2DGradInput(out[0], in[0], in[1], c.Conv)
}
func (c convGradInput) flops(in []tensor.Shape, out tensor.Shape) float64 {
	return 2 * float64(kernel.Len(in[0])) * float64(kernel.Len(in[1][1:]))
}
func (c convGradInput) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }

type convGradWeight struct {
	kernel.Conv
	of tensor.Shape
}

func (c convGradWeight) name() string                               { return "conv dw" }
func (c convGradWeight) exactResult()                               {}
func (c convGradWeight) shape([]tensor.Shape) (tensor.Shape, error) { return c.of, nil }
func (c convGradWeight) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.Conv2DGradWeight(out[0], in[0], in[1], c.Conv)
}
func (c convGradWeight) flops(in []tensor.Shape, out tensor.Shape) float64 {
	return 2 * float64(kernel.Len(in[1])) * float64(kernel.Len(out[1:]))
}
func (c convGradWeight) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }
