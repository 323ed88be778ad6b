package model

import (
	"easel/engine/graph"
	"easel/engine/kernel"
)

// Adapter is how a fine-tuning method puts its parameters into a network while the graph is built: in place of a frozen
// weight, at the word embeddings, or before or after a layer. Embed Unchanged and write the one that the method needs.
type Adapter interface {
	// Weight sees every frozen tensor before its first use in a graph. It returns the leaf that stands in its place, of the
	// same shape; nil leaves it frozen.
	Weight(g *graph.Graph, w Weight) *graph.Node
	// Embed sees the embeddings of a prompt's tokens: ids [batch, tokens], h [batch, tokens, width]. It returns h, or what
	// stands in its place.
	Embed(g *graph.Graph, ids, h *graph.Node) *graph.Node
	// Before sees what goes into every linear layer and convolution. It returns x, or what goes in in its place.
	Before(g *graph.Graph, l Layer, x *graph.Node) *graph.Node
	// After sees every linear layer and convolution: y = layer(x). It returns y, or something computed from x and y
	// in its place.
	After(g *graph.Graph, l Layer, x, y *graph.Node) *graph.Node
}

// Weight is a frozen tensor of a network as an Adapter sees it.
type Weight struct {
	Part   Part
	Name   string // of diffusers: "down_blocks.0.attentions.0.proj_in.weight"
	Tensor *kernel.Tensor
}

// Unchanged is an Adapter that leaves the model as it is.
type Unchanged struct{}

// Weight implements Adapter.
func (Unchanged) Weight(*graph.Graph, Weight) *graph.Node { return nil }

// Embed implements Adapter.
func (Unchanged) Embed(_ *graph.Graph, _, h *graph.Node) *graph.Node { return h }

// Before implements Adapter.
func (Unchanged) Before(_ *graph.Graph, _ Layer, x *graph.Node) *graph.Node { return x }

// After implements Adapter.
func (Unchanged) After(_ *graph.Graph, _ Layer, _, y *graph.Node) *graph.Node { return y }

// Adapters are several adapters, one after the other: each sees what the one before made.
type Adapters []Adapter

// Weight implements Adapter: the last that replaces a weight counts.
func (as Adapters) Weight(g *graph.Graph, w Weight) *graph.Node {
	for i := len(as) - 1; i >= 0; i-- {
		if n := as[i].Weight(g, w); n != nil {
			return n
		}
	}
	return nil
}

// Embed implements Adapter.
func (as Adapters) Embed(g *graph.Graph, ids, h *graph.Node) *graph.Node {
	for _, a := range as {
		h = a.Embed(g, ids, h)
	}
	return h
}

// Before implements Adapter.
func (as Adapters) Before(g *graph.Graph, l Layer, x *graph.Node) *graph.Node {
	for _, a := range as {
		x = a.Before(g, l, x)
	}
	return x
}

// After implements Adapter.
func (as Adapters) After(g *graph.Graph, l Layer, x, y *graph.Node) *graph.Node {
	for _, a := range as {
		y = a.After(g, l, x, y)
	}
	return y
}
