// Package vit builds the vision transformer (Dosovitskiy et al., arXiv 2010.11929) that BLIP and the WD tagger look at
// pictures with, in the names of transformers' BlipVisionModel, and has what their other parts are built with.
package vit

import (
	"fmt"
	"math"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
)

const opConfig = "read captioner config"

// Config is the vision_config of a captioner's config.json.
type Config struct {
	HiddenSize       int     `json:"hidden_size"`
	IntermediateSize int     `json:"intermediate_size"`
	Layers           int     `json:"num_hidden_layers"`
	Heads            int     `json:"num_attention_heads"`
	ImageSize        int     `json:"image_size"` // pixels of the square's side
	PatchSize        int     `json:"patch_size"` // pixels
	HiddenAct        string  `json:"hidden_act"` // "gelu", or "gelu_tanh", which is its approximation by tanh
	LayerNormEps     float32 `json:"layer_norm_eps"`
	Patches          bool    `json:"-"` // there is no token for the whole picture
}

var activations = map[string]kernel.Activation{"gelu": kernel.GELU, "gelu_tanh": kernel.GELUTanh}

// headWidth is that of all published models.
const headWidth = 64

// Of reads the sizes from the tensors' shapes. What they do not tell is as in base.
func Of(s format.Source, base Config) (Config, error) {
	c := base
	c.HiddenSize, c.PatchSize = Dim(s, "vision_model.embeddings.patch_embedding.weight", 0), Dim(s, "vision_model.embeddings.patch_embedding.weight", 2)
	c.IntermediateSize, c.Layers = Dim(s, "vision_model.encoder.layers.0.mlp.fc1.weight", 0), format.Count(s, "vision_model.encoder.layers.%d.layer_norm1.weight")
	patches := Dim(s, "vision_model.embeddings.position_embedding", 1)
	if !c.Patches {
		patches--
	}
	c.ImageSize = int(math.Sqrt(float64(max(patches, 0)))) * c.PatchSize
	if c.HiddenSize%headWidth != 0 {
		return c, engine.Errorf(opConfig, "", engine.Unsupported, "the vision transformer is %d wide, and a single file does not tell its heads; put its config.json beside it", c.HiddenSize)
	}
	c.Heads = c.HiddenSize / headWidth
	return c, c.Check()
}

// Dim is a dimension of a tensor; 0 where there is none.
func Dim(s format.Source, name string, axis int) int {
	if _, shape, ok := s.Info(name); ok && axis < len(shape) {
		return shape[axis]
	}
	return 0
}

// Check refuses sizes that do not fit together, or that no model has. Errors: BadFile, Unsupported.
func (c *Config) Check() error {
	const most = 1 << 15
	_, known := activations[c.HiddenAct]
	switch {
	case !known:
		return engine.Errorf(opConfig, "", engine.Unsupported, "the activation %q is not known", c.HiddenAct)
	case min(c.HiddenSize, c.IntermediateSize, c.Layers, c.Heads, c.ImageSize, c.PatchSize) < 1,
		max(c.HiddenSize, c.IntermediateSize, c.ImageSize) > most, c.Layers > 1<<10, c.HiddenSize%c.Heads != 0:
		return engine.Errorf(opConfig, "", engine.BadFile, "the vision sizes do not fit together: width %d, %d heads, %d layers", c.HiddenSize, c.Heads, c.Layers)
	case c.ImageSize%c.PatchSize != 0 || c.Tokens() > most:
		return engine.Errorf(opConfig, "", engine.BadFile, "pictures of %d pixels cannot be cut into patches of %d", c.ImageSize, c.PatchSize)
	}
	return nil
}

// Tokens is the number of tokens that a picture becomes: its patches and perhaps one for the whole.
func (c *Config) Tokens() int {
	side := c.ImageSize / c.PatchSize
	if c.Patches {
		return side * side
	}
	return side*side + 1
}

// Build adds the vision transformer: image [1, side, side, 3] to states [1, tokens, width]; the token for the whole
// picture comes first, then the patches by rows.
func (c *Config) Build(b *Net, image *graph.Node) *graph.Node {
	const name = "vision_model.embeddings."
	w, p := c.HiddenSize, c.PatchSize
	h := b.Conv2D(image, b.Weight(name+"patch_embedding.weight", w, 3, p, p), b.Weight(name+"patch_embedding.bias", w), kernel.Conv{Stride: p})
	if c.Patches {
		h = b.Part(h, 0, 1, c.Tokens(), w)
	} else {
		h = b.JoinTokens(b.Weight(name+"class_embedding", 1, 1, w), h)
	}
	h = b.Add(h, b.Weight(name+"position_embedding", 1, c.Tokens(), w))
	for i := range c.Layers {
		h = c.layer(b, fmt.Sprintf("vision_model.encoder.layers.%d", i), h)
	}
	return b.Seen("vision", b.Norm("vision_model.post_layernorm", h, w, c.LayerNormEps))
}

func (c *Config) layer(b *Net, name string, h *graph.Node) *graph.Node {
	w := c.HiddenSize
	n := b.Norm(name+".layer_norm1", h, w, c.LayerNormEps)
	qkv := name + ".self_attn.qkv"
	o := b.Attention(b.third(qkv, n, 0, w), b.third(qkv, n, 1, w), b.third(qkv, n, 2, w), c.Heads, false)
	h = b.Add(h, b.Dense(name+".self_attn.projection", o, w, w))
	n = b.Norm(name+".layer_norm2", h, w, c.LayerNormEps)
	f := b.Activate(b.Dense(name+".mlp.fc1", n, w, c.IntermediateSize), activations[c.HiddenAct])
	return b.Seen(name, b.Add(h, b.Dense(name+".mlp.fc2", f, c.IntermediateSize, w)))
}
