package blip

import (
	"fmt"

	"easel/engine/graph"
	"easel/engine/model"
)

// net builds a network: it names leaves after their weights.
type net struct {
	*graph.Graph
	weights model.Weights
	trace   func(name string, n *graph.Node) // sees layers' outputs; may be nil
}

func (b *net) seen(name string, n *graph.Node) *graph.Node {
	if b.trace != nil && n != nil {
		b.trace(name, n)
	}
	return n
}

// leaf is a frozen weight. A second request for the same name gets the same node.
func (b *net) leaf(name string, shape ...int) *graph.Node {
	if b.Err() != nil {
		return nil
	}
	if have := b.Leaf(name); have != nil {
		return have
	}
	t, err := b.weights.Tensor(name, shape...)
	if err != nil {
		b.Fail("%s: %w", name, err)
		return nil
	}
	return b.Constant(name, t)
}

// linear is a linear layer with bias: [..., in] to [..., out].
func (b *net) linear(module string, x *graph.Node, in, out int) *graph.Node {
	return b.Linear(x, b.leaf(module+".weight", out, in), b.leaf(module+".bias", out), 1)
}

func (b *net) layerNorm(module string, x *graph.Node, width int, eps float32) *graph.Node {
	return b.LayerNorm(x, b.leaf(module+".weight", width), b.leaf(module+".bias", width), eps)
}

// third is the i-th of three linear layers of [width, width] that a file stores below each other.
func (b *net) third(module string, x *graph.Node, i, width int) *graph.Node {
	if b.Err() != nil {
		return nil
	}
	cut := func(name string, shape ...int) *graph.Node {
		t, err := b.weights.Tensor(name, append([]int{3 * shape[0]}, shape[1:]...)...)
		if err != nil {
			b.Fail("%s: %w", name, err)
			return nil
		}
		return b.Constant(fmt.Sprintf("%s[%d]", name, i), block(t, i, 3))
	}
	return b.Linear(x, cut(module+".weight", width, width), cut(module+".bias", width), 1)
}
