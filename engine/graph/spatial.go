package graph

import (
	"fmt"

	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// Concat puts b's channels behind a's: [..., ca] and [..., cb] to [..., ca+cb].
func (g *Graph) Concat(a, b *Node) *Node { return g.add(concat{}, a, b) }

type concat struct{}

func (concat) name() string { return "concat" }
func (concat) shape(in []tensor.Shape) (tensor.Shape, error) {
	a, b := in[0], in[1]
	if len(a) != len(b) || !a[:len(a)-1].Eq(b[:len(b)-1]) {
		return nil, fmt.Errorf("%v and %v do not fit", a, b)
	}
	return withChannels(a, a[len(a)-1]+b[len(b)-1]), nil
}
func (concat) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.Concat(out[0], in[0], in[1])
}
func (concat) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	grads := make([]*Node, 2)
	from := 0
	for i, n := range in {
		c := n.Shape()[len(n.Shape())-1]
		if want[i] {
			grads[i] = g.add(slice{from, c}, dy)
		}
		from += c
	}
	return grads
}

type slice struct{ from, channels int }

func (s slice) name() string { return "slice" }
func (s slice) shape(in []tensor.Shape) (tensor.Shape, error) {
	return withChannels(in[0], s.channels), nil
}
func (s slice) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.SliceChannels(out[0], in[0], s.from)
}
func (s slice) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }

// UpsampleNearest enlarges x [batch, h, w, c] to [batch, height, width, c].
func (g *Graph) UpsampleNearest(x *Node, height, width int) *Node {
	return g.add(upsample{height, width}, x)
}

type upsample struct{ height, width int }

func (u upsample) name() string { return "upsample" }
func (u upsample) shape(in []tensor.Shape) (tensor.Shape, error) {
	x := in[0]
	if len(x) != 4 || u.height < x[1] || u.width < x[2] {
		return nil, fmt.Errorf("%v cannot be enlarged to %d x %d", x, u.height, u.width)
	}
	return tensor.Shape{x[0], u.height, u.width, x[3]}, nil
}
func (u upsample) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.UpsampleNearest(out[0], in[0])
}
func (u upsample) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	return []*Node{g.add(upsampleGrad{in[0].Shape()}, dy)}
}

type upsampleGrad struct{ of tensor.Shape }

func (u upsampleGrad) name() string                               { return "upsample grad" }
func (u upsampleGrad) shape([]tensor.Shape) (tensor.Shape, error) { return u.of, nil }
func (u upsampleGrad) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.UpsampleNearestGrad(out[0], in[0])
}
func (u upsampleGrad) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }
