package graph

import (
	"fmt"

	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// Linear is alpha·x·wᵀ + bias over the last dimension: x [..., in], w [out, in] or [out, in, 1, 1], bias [out] or nil.
func (g *Graph) Linear(x, w, bias *Node, alpha float32) *Node {
	if bias == nil {
		return g.add(linear{alpha}, x, w)
	}
	return g.add(linear{alpha}, x, w, bias)
}

type linear struct{ alpha float32 }

func (l linear) name() string { return "linear" }

func (l linear) shape(in []tensor.Shape) (tensor.Shape, error) {
	x, w := in[0], in[1]
	if len(w) < 2 || kernel.Len(w) != w[0]*w[1] {
		return nil, fmt.Errorf("weight %v is no matrix", w)
	}
	if len(x) == 0 || x[len(x)-1] != w[1] {
		return nil, fmt.Errorf("input %v does not fit weight %v", x, w)
	}
	if len(in) == 3 && kernel.Len(in[2]) != w[0] {
		return nil, fmt.Errorf("bias %v does not fit weight %v", in[2], w)
	}
	return withChannels(x, w[0]), nil
}

func withChannels(s tensor.Shape, c int) tensor.Shape {
	out := s.Clone()
	out[len(out)-1] = c
	return out
}

func (l linear) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return l.runAdd(b, out[0], in, nil)
}

func (l linear) runAdd(b kernel.Backend, out *kernel.Tensor, in []*kernel.Tensor, add *kernel.Tensor) error {
	return b.Linear(out, in[0], in[1], third(in), add, l.alpha)
}

func third(in []*kernel.Tensor) *kernel.Tensor {
	if len(in) > 2 {
		return in[2]
	}
	return nil
}

func (l linear) flops(in []tensor.Shape, out tensor.Shape) float64 {
	return 2 * float64(kernel.Len(out)) * float64(in[1][1])
}

func (l linear) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	grads := make([]*Node, len(in))
	if want[0] {
		grads[0] = g.add(linearGradInput(l), dy, in[1])
	}
	if want[1] {
		grads[1] = g.add(linearGradWeight{l.alpha, in[1].Shape()}, in[0], dy)
	}
	if len(in) == 3 && want[2] {
		grads[2] = g.add(sumRows{}, dy)
	}
	return grads
}

type linearGradInput struct{ alpha float32 }

func (l linearGradInput) name() string { return "linear dx" }
func (l linearGradInput) shape(in []tensor.Shape) (tensor.Shape, error) {
	return withChannels(in[0], in[1][1]), nil
}
func (l linearGradInput) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return l.runAdd(b, out[0], in, nil)
}
func (l linearGradInput) runAdd(b kernel.Backend, out *kernel.Tensor, in []*kernel.Tensor, add *kernel.Tensor) error {
	return b.LinearGradInput(out, in[0], in[1], add, l.alpha)
}
func (l linearGradInput) flops(in []tensor.Shape, out tensor.Shape) float64 {
	return 2 * float64(kernel.Len(in[0])) * float64(in[1][1])
}
func (l linearGradInput) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }

type linearGradWeight struct {
	alpha float32
	of    tensor.Shape
}

func (l linearGradWeight) name() string                               { return "linear dw" }
func (l linearGradWeight) exactResult()                               {}
func (l linearGradWeight) shape([]tensor.Shape) (tensor.Shape, error) { return l.of, nil }
func (l linearGradWeight) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.LinearGradWeight(matrix(out[0]), in[0], in[1], l.alpha)
}
func (l linearGradWeight) flops(in []tensor.Shape, out tensor.Shape) float64 {
	return 2 * float64(kernel.Len(in[0])) * float64(out[0])
}
func (l linearGradWeight) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }

// matrix views a [out, in, 1, 1] gradient as [out, in].
func matrix(t *kernel.Tensor) *kernel.Tensor {
	return &kernel.Tensor{Shape: t.Shape[:2], DType: t.DType, Data: t.Data}
}

type sumRows struct{}

func (sumRows) name() string { return "sum rows" }
func (sumRows) exactResult() {}
func (sumRows) shape(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][len(in[0])-1]}, nil
}
func (sumRows) run(b kernel.Backend, out, in []*kernel.Tensor) error   { return b.SumRows(out[0], in[0]) }
func (sumRows) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }

// once is the gradient of a gradient: there is none.
func once(g *Graph) []*Node {
	g.Fail("a gradient is not differentiated again")
	return nil
}
