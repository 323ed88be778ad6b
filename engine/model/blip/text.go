package blip

import (
	"fmt"

	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model/vit"
)

// Layer holds what a layer of the text decoder attends to, beside the new tokens: the picture's keys and values, which
// are computed once, and the caches of those of the caption so far, which CachedAttention fills.
type Layer struct {
	ImageKeys, ImageValues *graph.Node // [1, image tokens, width]
	Keys, Values           *graph.Node // Inputs [captions, capacity, width]
}

// context adds the keys and values that the decoder's layers have for the states of a picture.
func (c *TextConfig) context(b *vit.Net, states *graph.Node, width int) []Layer {
	layers := make([]Layer, c.Layers)
	for i := range layers {
		cross := fmt.Sprintf("text_decoder.bert.encoder.layer.%d.crossattention.self.", i)
		layers[i].ImageKeys = b.Dense(cross+"key", states, width, c.HiddenSize)
		layers[i].ImageValues = b.Dense(cross+"value", states, width, c.HiddenSize)
	}
	return layers
}

// decoder adds the text decoder with its head (transformers BlipTextLMHeadModel): for s captions that are written at a
// time, ids [1, s·n] of the n newest tokens of each and their positions, to logits [1, s·n, vocabulary] of what follows
// each. As cross-attention knows no order, the tokens of all captions are its queries at once.
func (c *TextConfig) decoder(b *vit.Net, ids, positions *graph.Node, layers []Layer) *graph.Node {
	const name = "text_decoder.bert.embeddings."
	w := c.HiddenSize
	h := b.Add(
		b.Embedding(ids, b.Weight(name+"word_embeddings.weight", c.VocabSize, w), 0),
		b.Embedding(positions, b.Weight(name+"position_embeddings.weight", c.MaxPositions, w), 0))
	h = b.Seen("embeddings", b.Norm(name+"LayerNorm", h, w, c.LayerNormEps))
	for i := range c.Layers {
		h = c.layer(b, fmt.Sprintf("text_decoder.bert.encoder.layer.%d", i), h, positions, layers[i])
	}
	return c.head(b, b.Seen("text", h))
}

// layer is self-attention, cross-attention and a feed-forward, each followed by a norm over its sum with its input.
func (c *TextConfig) layer(b *vit.Net, name string, h, positions *graph.Node, l Layer) *graph.Node {
	w := c.HiddenSize
	self := name + ".attention.self."
	o := b.CachedAttention(b.Dense(self+"query", h, w, w), b.Dense(self+"key", h, w, w), b.Dense(self+"value", h, w, w), l.Keys, l.Values, positions, c.Heads)
	h = c.sum(b, name+".attention.output", h, o, w)
	o = b.Attention(b.Dense(name+".crossattention.self.query", h, w, w), l.ImageKeys, l.ImageValues, c.Heads, false)
	h = c.sum(b, name+".crossattention.output", h, o, w)
	f := b.Activate(b.Dense(name+".intermediate.dense", h, w, c.IntermediateSize), kernel.GELU)
	return b.Seen(name, c.sum(b, name+".output", h, f, c.IntermediateSize))
}

// sum is norm(h + dense(x)).
func (c *TextConfig) sum(b *vit.Net, name string, h, x *graph.Node, in int) *graph.Node {
	return b.Norm(name+".LayerNorm", b.Add(h, b.Dense(name+".dense", x, in, c.HiddenSize)), c.HiddenSize, c.LayerNormEps)
}

func (c *TextConfig) head(b *vit.Net, h *graph.Node) *graph.Node {
	const name = "text_decoder.cls.predictions."
	h = b.Activate(b.Dense(name+"transform.dense", h, c.HiddenSize, c.HiddenSize), kernel.GELU)
	h = b.Norm(name+"transform.LayerNorm", h, c.HiddenSize, c.LayerNormEps)
	return b.Exact(func() *graph.Node { return b.Dense(name+"decoder", h, c.HiddenSize, c.VocabSize) })
}
