package graph

import (
	"fmt"

	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// Part is a piece of x in memory order: the elements from from on, as a tensor of the given shape.
func (g *Graph) Part(x *Node, from int, shape ...int) *Node { return g.add(part{from, shape}, x) }

type part struct {
	from int
	of   tensor.Shape
}

func (p part) name() string { return "part" }
func (p part) shape(in []tensor.Shape) (tensor.Shape, error) {
	if p.from < 0 || p.from+kernel.Len(p.of) > kernel.Len(in[0]) {
		return nil, fmt.Errorf("%v has no part of shape %v from %d", in[0], p.of, p.from)
	}
	return p.of, nil
}
func (p part) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.SliceChannels(row(out[0]), row(in[0]), p.from)
}
func (p part) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	return []*Node{g.add(partGrad{p.from, in[0].Shape()}, dy)}
}

// row views a tensor as a single row.
func row(t *kernel.Tensor) *kernel.Tensor {
	return &kernel.Tensor{Shape: []int{1, t.Len()}, DType: t.DType, Data: t.Data}
}

// partGrad is zero but for the part. It adds, so that the gradients of a tensor's many parts meet in one memory.
type partGrad part

func (p partGrad) name() string                               { return "part grad" }
func (p partGrad) exactResult()                               {}
func (p partGrad) shape([]tensor.Shape) (tensor.Shape, error) { return p.of, nil }
func (p partGrad) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	clear(out[0].F32())
	return p.runAdd(b, out[0], in, out[0])
}
func (p partGrad) runAdd(_ kernel.Backend, out *kernel.Tensor, in []*kernel.Tensor, add *kernel.Tensor) error {
	sum := out.F32()
	copy(sum, add.F32()) // onto itself where they are one memory
	for i, d := range in[0].Floats() {
		sum[p.from+i] += d
	}
	return nil
}
func (p partGrad) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }
