package vit

import (
	"fmt"

	"easel/engine/graph"
	"easel/engine/model"
)

// Net builds a network: it names leaves after their weights.
type Net struct {
	*graph.Graph
	Weights model.Weights
	Trace   func(name string, n *graph.Node) // sees layers' outputs; may be nil
}

// Seen shows a layer's output to Trace.
func (b *Net) Seen(name string, n *graph.Node) *graph.Node {
	if b.Trace != nil && n != nil {
		b.Trace(name, n)
	}
	return n
}

// Weight is a frozen weight. A second request for the same name gets the same node.
func (b *Net) Weight(name string, shape ...int) *graph.Node {
	if b.Err() != nil {
		return nil
	}
	if have := b.Leaf(name); have != nil {
		return have
	}
	t, err := b.Weights.Tensor(name, shape...)
	if err != nil {
		b.Fail("%s: %w", name, err)
		return nil
	}
	return b.Constant(name, t)
}

// Dense is a linear layer with bias: [..., in] to [..., out].
func (b *Net) Dense(module string, x *graph.Node, in, out int) *graph.Node {
	return b.Linear(x, b.Weight(module+".weight", out, in), b.Weight(module+".bias", out), 1)
}

// Norm is a layer norm over the last dimension.
func (b *Net) Norm(module string, x *graph.Node, width int, eps float32) *graph.Node {
	return b.LayerNorm(x, b.Weight(module+".weight", width), b.Weight(module+".bias", width), eps)
}

// third is the i-th of three linear layers of [width, width] that a file stores below each other.
func (b *Net) third(module string, x *graph.Node, i, width int) *graph.Node {
	if b.Err() != nil {
		return nil
	}
	cut := func(name string, shape ...int) *graph.Node {
		t, err := b.Weights.Tensor(name, append([]int{3 * shape[0]}, shape[1:]...)...)
		if err != nil {
			b.Fail("%s: %w", name, err)
			return nil
		}
		return b.Constant(fmt.Sprintf("%s[%d]", name, i), block(t, i, 3))
	}
	return b.Linear(x, cut(module+".weight", width, width), cut(module+".bias", width), 1)
}
