package graph

import (
	"fmt"

	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// Product is x·w: x [..., n], w [n, m]. (Linear takes the transposed of w.)
func (g *Graph) Product(x, w *Node) *Node { return g.add(product{}, x, w) }

type product struct{}

func (product) name() string { return "product" }
func (product) shape(in []tensor.Shape) (tensor.Shape, error) {
	x, w := in[0], in[1]
	if len(w) != 2 || len(x) == 0 || x[len(x)-1] != w[0] {
		return nil, fmt.Errorf("%v and %v have no product", x, w)
	}
	return withChannels(x, w[1]), nil
}
func (product) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.LinearGradInput(out[0], in[0], in[1], nil, 1)
}
func (product) flops(in []tensor.Shape, out tensor.Shape) float64 {
	return 2 * float64(kernel.Len(out)) * float64(in[1][0])
}
func (product) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	grads := make([]*Node, 2)
	if want[0] {
		grads[0] = g.add(linear{1}, dy, in[1])
	}
	if want[1] {
		grads[1] = g.add(linearGradWeight{1, in[1].Shape()}, dy, in[0])
	}
	return grads
}
