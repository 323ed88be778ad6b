package model

import (
	"fmt"

	"easel/engine/graph"
	"easel/engine/kernel"
)

// build adds CLIP's text encoder (transformers CLIPTextModel): ids [batch, tokens] to the context [batch, tokens,
// width]. skip leaves out the last layers ("clip skip": 1 is the usual none); the final norm is applied in any case.
func (c *TextConfig) build(b *net, ids *graph.Node, skip int) *graph.Node {
	if b.Err() != nil {
		return nil
	}
	if n := ids.Shape()[1]; n > c.MaxPositions {
		b.Fail("%d tokens, but the text encoder has %d positions", n, c.MaxPositions)
		return nil
	}
	h := b.Embedding(ids, b.leaf("text_model.embeddings.token_embedding.weight", c.VocabSize, c.HiddenSize))
	if b.Err() != nil {
		return nil
	}
	h = b.adapter.Embed(b.Graph, ids, h)
	h = b.Add(h, b.Embedding(b.positions(ids), b.leaf("text_model.embeddings.position_embedding.weight", c.MaxPositions, c.HiddenSize)))
	b.seen("hidden_states.0", h)
	for i := range c.Layers + 1 - max(skip, 1) {
		h = c.layer(b, fmt.Sprintf("text_model.encoder.layers.%d", i), h)
		b.seen(fmt.Sprintf("hidden_states.%d", i+1), h)
	}
	return b.layerNorm("text_model.final_layer_norm", h, c.HiddenSize, c.LayerNormEps)
}

// positions counts 0, 1, 2, ... along each row of ids.
func (b *net) positions(ids *graph.Node) *graph.Node {
	name := fmt.Sprintf("%s.positions of %s", b.part, ids.Name())
	if have := b.Leaf(name); have != nil {
		return have
	}
	t := kernel.New(kernel.I32, ids.Shape()...)
	for i := range t.I32() {
		t.I32()[i] = int32(i % ids.Shape()[1])
	}
	return b.Constant(name, t)
}

func (c *TextConfig) layer(b *net, name string, h *graph.Node) *graph.Node {
	act, _ := c.activation() // checked when the config was read
	w := c.HiddenSize
	return b.Segment(func() *graph.Node {
		n := b.layerNorm(name+".layer_norm1", h, w, c.LayerNormEps)
		q := b.linear(name+".self_attn.q_proj", n, w, w, true)
		k := b.linear(name+".self_attn.k_proj", n, w, w, true)
		v := b.linear(name+".self_attn.v_proj", n, w, w, true)
		h = b.Add(h, b.linear(name+".self_attn.out_proj", b.Attention(q, k, v, c.Heads, true), w, w, true))
		n = b.layerNorm(name+".layer_norm2", h, w, c.LayerNormEps)
		f := b.Activate(b.linear(name+".mlp.fc1", n, w, c.IntermediateSize, true), act)
		return b.Add(h, b.linear(name+".mlp.fc2", f, c.IntermediateSize, w, true))
	})
}
