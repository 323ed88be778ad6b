package blip

import (
	"fmt"

	"easel/engine/graph"
	"easel/engine/kernel"
)

// vision adds the vision transformer (transformers BlipVisionModel): image [1, side, side, 3] to states [1, tokens,
// width]; a token for the whole picture comes first, then the patches by rows.
func (c *VisionConfig) vision(b *net, image *graph.Node) *graph.Node {
	const name = "vision_model.embeddings."
	w, p := c.HiddenSize, c.PatchSize
	patches := b.Conv2D(image, b.leaf(name+"patch_embedding.weight", w, 3, p, p), b.leaf(name+"patch_embedding.bias", w), kernel.Conv{Stride: p})
	h := b.JoinTokens(b.leaf(name+"class_embedding", 1, 1, w), patches)
	h = b.Add(h, b.leaf(name+"position_embedding", 1, c.Tokens(), w))
	for i := range c.Layers {
		h = c.layer(b, fmt.Sprintf("vision_model.encoder.layers.%d", i), h)
	}
	return b.seen("vision", b.layerNorm("vision_model.post_layernorm", h, w, c.LayerNormEps))
}

func (c *VisionConfig) layer(b *net, name string, h *graph.Node) *graph.Node {
	w := c.HiddenSize
	n := b.layerNorm(name+".layer_norm1", h, w, c.LayerNormEps)
	qkv := name + ".self_attn.qkv"
	o := b.Attention(b.third(qkv, n, 0, w), b.third(qkv, n, 1, w), b.third(qkv, n, 2, w), c.Heads, false)
	h = b.Add(h, b.linear(name+".self_attn.projection", o, w, w))
	n = b.layerNorm(name+".layer_norm2", h, w, c.LayerNormEps)
	f := b.Activate(b.linear(name+".mlp.fc1", n, w, c.IntermediateSize), kernel.GELU)
	return b.seen(name, b.Add(h, b.linear(name+".mlp.fc2", f, c.IntermediateSize, w)))
}
