package graph

import (
	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// Mask says at each run what dropout leaves of a tensor. A run and its backward pass must get the same.
type Mask interface {
	// Draw writes the factor of each element of a tensor of the given shape, [batch, ..., channels]: 0 for what is left
	// out. It returns false, and nothing counts, where all is left as it is.
	Draw(factors []float32, shape []int) bool
}

// Dropout multiplies x by the factors of a mask.
func (g *Graph) Dropout(x *Node, m Mask) *Node { return g.add(dropout{m}, x) }

type dropout struct{ Mask }

func (dropout) name() string                                  { return "dropout" }
func (dropout) reuses() []int                                 { return []int{0} }
func (dropout) shape(in []tensor.Shape) (tensor.Shape, error) { return in[0], nil }
func (d dropout) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	factors := kernel.New(kernel.F32, in[0].Shape...)
	if !d.Draw(factors.F32(), in[0].Shape) {
		return b.Scale(out[0], in[0], 1)
	}
	return b.Mul(out[0], in[0], factors)
}
func (d dropout) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	return []*Node{g.add(d, dy)}
}
