package graph

import (
	"fmt"

	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// Activate applies an elementwise function.
func (g *Graph) Activate(x *Node, f kernel.Activation) *Node { return g.add(activate{f}, x) }

type activate struct{ f kernel.Activation }

func (a activate) name() string                                  { return "activation" }
func (a activate) reuses() []int                                 { return []int{0} }
func (a activate) shape(in []tensor.Shape) (tensor.Shape, error) { return in[0], nil }
func (a activate) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.Activate(out[0], in[0], a.f)
}
func (a activate) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	return []*Node{g.add(activateGrad(a), in[0], dy)}
}

type activateGrad activate

func (a activateGrad) name() string                                  { return "activation grad" }
func (a activateGrad) reuses() []int                                 { return []int{1} }
func (a activateGrad) shape(in []tensor.Shape) (tensor.Shape, error) { return in[0], nil }
func (a activateGrad) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.ActivateGrad(out[0], in[0], in[1], a.f)
}
func (a activateGrad) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }

// GEGLU is the first half of x's channels times GELU of the second (Shazeer, arXiv 2002.05202): [..., 2c] to [..., c].
func (g *Graph) GEGLU(x *Node) *Node { return g.add(geglu{}, x) }

type geglu struct{}

func (geglu) name() string { return "geglu" }
func (geglu) shape(in []tensor.Shape) (tensor.Shape, error) {
	c := in[0][len(in[0])-1]
	if c%2 != 0 {
		return nil, fmt.Errorf("%v has an odd number of channels", in[0])
	}
	return withChannels(in[0], c/2), nil
}
func (geglu) run(b kernel.Backend, out, in []*kernel.Tensor) error { return b.GEGLU(out[0], in[0]) }
func (geglu) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	return []*Node{g.add(gegluGrad{}, in[0], dy)}
}

type gegluGrad struct{}

func (gegluGrad) name() string                                  { return "geglu grad" }
func (gegluGrad) shape(in []tensor.Shape) (tensor.Shape, error) { return in[0], nil }
func (gegluGrad) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.GEGLUGrad(out[0], in[0], in[1])
}
func (gegluGrad) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }

// Scale is s·x.
func (g *Graph) Scale(x *Node, s float32) *Node { return g.add(scale{s}, x) }

type scale struct{ by float32 }

func (scale) name() string                                  { return "scale" }
func (scale) reuses() []int                                 { return []int{0} }
func (scale) shape(in []tensor.Shape) (tensor.Shape, error) { return in[0], nil }
func (s scale) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.Scale(out[0], in[0], s.by)
}
func (s scale) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	return []*Node{g.add(s, dy)}
}

// Add is a + b, of one shape.
func (g *Graph) Add(a, b *Node) *Node { return g.add(add{}, a, b) }

// add also runs the sums that gorgonia.Backpropagate puts where several gradients meet.
type add struct{}

func (add) name() string  { return "add" }
func (add) reuses() []int { return []int{0, 1} }
func (add) shape(in []tensor.Shape) (tensor.Shape, error) {
	if !in[0].Eq(in[1]) {
		return nil, fmt.Errorf("%v and %v differ", in[0], in[1])
	}
	return in[0], nil
}
func (add) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.Add(out[0], in[0], in[1], 1)
}
func (add) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node { return []*Node{dy, dy} }

// AddChannels is x [batch, ..., c] + t [batch, c] at every pixel, as a time embedding is added.
func (g *Graph) AddChannels(x, t *Node) *Node { return g.add(addChannels{}, x, t) }

type addChannels struct{}

func (addChannels) name() string  { return "add channels" }
func (addChannels) reuses() []int { return []int{0} }
func (addChannels) shape(in []tensor.Shape) (tensor.Shape, error) {
	x, t := in[0], in[1]
	if len(x) < 2 || len(t) != 2 || t[0] != x[0] || t[1] != x[len(x)-1] {
		return nil, fmt.Errorf("%v cannot be added to %v", t, x)
	}
	return x, nil
}
func (addChannels) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.AddChannels(out[0], in[0], in[1])
}
func (addChannels) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	grads := []*Node{dy, nil}
	if want[1] {
		grads[1] = g.add(sumPixels{}, dy)
	}
	return grads
}

type sumPixels struct{}

func (sumPixels) name() string { return "sum pixels" }
func (sumPixels) exactResult() {}
func (sumPixels) shape(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][0], in[0][len(in[0])-1]}, nil
}
func (sumPixels) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.SumPixels(out[0], in[0])
}
func (sumPixels) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }
