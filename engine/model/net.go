package model

import (
	"easel/engine/graph"
	"easel/engine/kernel"
)

// Weights finds the frozen tensors of one network by their diffusers names. The builder says which shape it needs;
// a source of random weights makes it, a file's tensor must have it.
type Weights interface {
	Tensor(name string, shape ...int) (*kernel.Tensor, error)
}

// Part names one of the networks.
type Part string

// The networks, by the names of their folders.
const (
	UNet Part = "unet"
	Text Part = "text_encoder"
	VAE  Part = "vae"
)

// Layer describes a linear layer or convolution to an Adapter.
type Layer struct {
	Part   Part
	Module string      // diffusers path: "down_blocks.0.attentions.0.proj_in"
	Shape  []int       // of the weight: [out, in] or [out, in, kh, kw]
	Conv   kernel.Conv // zero for a linear layer
	Weight *kernel.Tensor
}

// net builds one network: it names leaves after their weights and shows each layer to the adapter.
type net struct {
	*graph.Graph
	part    Part
	weights Weights
	adapter Adapter                          // never nil
	trace   func(name string, n *graph.Node) // sees blocks' outputs; may be nil
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
	full := string(b.part) + "." + name
	if have := b.Leaf(full); have != nil {
		return have
	}
	t, err := b.weights.Tensor(name, shape...)
	if err != nil {
		b.Fail("%s: %w", full, err)
		return nil
	}
	if b.IsExact() && t.DType != kernel.F32 {
		t.Frozen = false // is converted at each use: a second copy is not worth its memory
	}
	if n := b.adapter.Weight(b.Graph, Weight{Part: b.part, Name: name, Tensor: t}); n != nil {
		return n
	}
	return b.Constant(full, t)
}

// linear is a linear layer with its adapter. Weight [out, in].
func (b *net) linear(module string, x *graph.Node, in, out int, bias bool) *graph.Node {
	return b.layer(module, x, []int{out, in}, kernel.Conv{}, bias)
}

// conv is a convolution with bias and its adapter. Weight [out, in, k, k].
func (b *net) conv(module string, x *graph.Node, in, out, k int, c kernel.Conv) *graph.Node {
	return b.layer(module, x, []int{out, in, k, k}, c, true)
}

func (b *net) layer(module string, x *graph.Node, shape []int, c kernel.Conv, bias bool) *graph.Node {
	w := b.leaf(module+".weight", shape...)
	var bs *graph.Node
	if bias {
		bs = b.leaf(module+".bias", shape[0])
	}
	if b.Err() != nil {
		return nil
	}
	l := Layer{Part: b.part, Module: module, Shape: shape, Conv: c, Weight: b.Bound(w)}
	x = b.adapter.Before(b.Graph, l, x)
	var y *graph.Node
	if len(shape) == 2 {
		y = b.Linear(x, w, bs, 1)
	} else {
		y = b.Conv2D(x, w, bs, c)
	}
	if y == nil {
		return nil
	}
	return b.adapter.After(b.Graph, l, x, y)
}

func (b *net) groupNorm(module string, x *graph.Node, channels, groups int, eps float32, silu bool) *graph.Node {
	return b.GroupNorm(x, b.leaf(module+".weight", channels), b.leaf(module+".bias", channels), groups, eps, silu)
}

func (b *net) layerNorm(module string, x *graph.Node, channels int, eps float32) *graph.Node {
	return b.LayerNorm(x, b.leaf(module+".weight", channels), b.leaf(module+".bias", channels), eps)
}
