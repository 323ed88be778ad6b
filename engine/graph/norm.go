package graph

import (
	"fmt"

	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// GroupNorm normalises x [batch, ..., c] over groups of channels (Wu and He, arXiv 1803.08494), then scales by gamma
// [c], shifts by beta [c], and applies SiLU where silu is set. The statistics are a node of their own, which the
// backward pass uses again.
func (g *Graph) GroupNorm(x, gamma, beta *Node, groups int, eps float32, silu bool) *Node {
	stats := g.add(groupStats{groups, eps}, x)
	return g.add(groupNorm{groups, silu}, x, stats, gamma, beta)
}

type groupStats struct {
	groups int
	eps    float32
}

func (s groupStats) name() string { return "group stats" }
func (s groupStats) exactResult() {}
func (s groupStats) detached()    {}
func (s groupStats) shape(in []tensor.Shape) (tensor.Shape, error) {
	x := in[0]
	if len(x) < 2 || s.groups < 1 || x[len(x)-1]%s.groups != 0 {
		return nil, fmt.Errorf("%v has no %d groups of channels", x, s.groups)
	}
	return tensor.Shape{x[0], s.groups, 2}, nil
}
func (s groupStats) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.GroupNormStats(out[0], in[0], s.groups, s.eps)
}
func (s groupStats) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }

type groupNorm struct {
	groups int
	silu   bool
}

func (n groupNorm) name() string  { return "group norm" }
func (n groupNorm) reuses() []int { return []int{0} }
func (n groupNorm) shape(in []tensor.Shape) (tensor.Shape, error) {
	c := in[0][len(in[0])-1]
	if kernel.Len(in[2]) != c || kernel.Len(in[3]) != c {
		return nil, fmt.Errorf("input %v does not fit weight %v and bias %v", in[0], in[2], in[3])
	}
	return in[0], nil
}
func (n groupNorm) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.GroupNorm(out[0], in[0], in[1], in[2], in[3], n.groups, n.silu)
}
func (n groupNorm) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	grads := make([]*Node, len(in))
	args := []*Node{in[0], in[1], in[2], in[3], dy}
	if want[0] {
		grads[0] = g.add(groupNormGradInput(n), args...)
	}
	if want[2] || want[3] {
		grads[2] = g.add(groupNormGradParams(n), args...)
		grads[3] = g.side(grads[2], 0)
	}
	return grads
}

type groupNormGradInput groupNorm

func (n groupNormGradInput) name() string                                  { return "group norm dx" }
func (n groupNormGradInput) shape(in []tensor.Shape) (tensor.Shape, error) { return in[0], nil }
func (n groupNormGradInput) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.GroupNormGradInput(out[0], in[0], in[1], in[2], in[3], in[4], n.groups, n.silu)
}
func (n groupNormGradInput) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }

type groupNormGradParams groupNorm

func (n groupNormGradParams) name() string                                  { return "group norm dw" }
func (n groupNormGradParams) exactResult()                                  {}
func (n groupNormGradParams) exactSides() bool                              { return true }
func (n groupNormGradParams) shape(in []tensor.Shape) (tensor.Shape, error) { return in[2], nil }
func (n groupNormGradParams) sides(in []tensor.Shape) []tensor.Shape        { return []tensor.Shape{in[3]} }
func (n groupNormGradParams) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.GroupNormGradParams(out[0], out[1], in[0], in[1], in[2], in[3], in[4], n.groups, n.silu)
}
func (n groupNormGradParams) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }

// LayerNorm normalises x [..., c] over its last dimension (Ba et al., arXiv 1607.06450); gamma and beta [c].
func (g *Graph) LayerNorm(x, gamma, beta *Node, eps float32) *Node {
	return g.add(layerNorm{eps}, x, gamma, beta)
}

type layerNorm struct{ eps float32 }

func (n layerNorm) name() string { return "layer norm" }
func (n layerNorm) shape(in []tensor.Shape) (tensor.Shape, error) {
	c := in[0][len(in[0])-1]
	if kernel.Len(in[1]) != c || kernel.Len(in[2]) != c {
		return nil, fmt.Errorf("input %v does not fit weight %v and bias %v", in[0], in[1], in[2])
	}
	return in[0], nil
}
func (n layerNorm) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.LayerNorm(out[0], in[0], in[1], in[2], n.eps)
}
func (n layerNorm) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	grads := make([]*Node, len(in))
	if want[0] {
		grads[0] = g.add(layerNormGradInput(n), in[0], in[1], dy)
	}
	if want[1] || want[2] {
		grads[1] = g.add(layerNormGradParams(n), in[0], dy)
		grads[2] = g.side(grads[1], 0)
	}
	return grads
}

type layerNormGradInput layerNorm

func (n layerNormGradInput) name() string                                  { return "layer norm dx" }
func (n layerNormGradInput) shape(in []tensor.Shape) (tensor.Shape, error) { return in[0], nil }
func (n layerNormGradInput) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.LayerNormGradInput(out[0], in[0], in[1], in[2], n.eps)
}
func (n layerNormGradInput) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }

type layerNormGradParams layerNorm

func (n layerNormGradParams) name() string     { return "layer norm dw" }
func (n layerNormGradParams) exactResult()     {}
func (n layerNormGradParams) exactSides() bool { return true }
func (n layerNormGradParams) shape(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][len(in[0])-1]}, nil
}
func (n layerNormGradParams) sides(in []tensor.Shape) []tensor.Shape {
	return []tensor.Shape{{in[0][len(in[0])-1]}}
}
func (n layerNormGradParams) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.LayerNormGradParams(out[0], out[1], in[0], in[1], n.eps)
}
func (n layerNormGradParams) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }
