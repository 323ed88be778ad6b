package model

import (
	"fmt"

	"easel/engine"
	"easel/engine/format"
)

// The configurations of single files, which have none. Widths are read from the tensors' shapes. What shapes do not
// show is what all published models of the family have: 32 groups, 8 heads a level in SD 1.x, heads of 64 channels in
// SD 2.x and in all text encoders (formats.md 2.1, 2.3, 2.4).

const (
	shapesOp  = "read shapes"
	headWidth = 64
	sd1Heads  = 8
	sd1Width  = 768  // of the context
	sd2Width  = 1024 // of the context
	maxBlocks = 8    // what the parsed configurations may have at most
	maxLayers = 1 << 10
)

// unetOf reads the configuration of a UNet in diffusers' names. v says that it predicts the velocity, which the models
// for 768 px do.
func unetOf(s format.Source, v bool) (UNetConfig, error) {
	c, err := ParseUNetConfig([]byte(`{"block_out_channels":[32],"down_block_types":["DownBlock2D"],"up_block_types":["UpBlock2D"]}`))
	if err != nil {
		return c, err
	}
	c.BlockOutChannels, c.DownBlockTypes, c.UpBlockTypes = nil, nil, nil
	for i := range maxBlocks {
		level := fmt.Sprintf("down_blocks.%d", i)
		if !s.Has(level + ".resnets.0.conv1.weight") {
			break
		}
		down, up := "DownBlock2D", "UpBlock2D"
		if s.Has(level + ".attentions.0.norm.weight") {
			down = "CrossAttnDownBlock2D"
		}
		if s.Has(fmt.Sprintf("up_blocks.%d.attentions.0.norm.weight", i)) {
			up = "CrossAttnUpBlock2D"
		}
		c.BlockOutChannels = append(c.BlockOutChannels, dim(s, level+".resnets.0.conv1.weight", 0))
		c.DownBlockTypes, c.UpBlockTypes = append(c.DownBlockTypes, down), append(c.UpBlockTypes, up)
	}
	c.InChannels, c.OutChannels = dim(s, "conv_in.weight", 1), dim(s, "conv_out.weight", 0)
	c.CrossAttentionDim = dim(s, "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight", 1)
	_, projection, _ := s.Info("mid_block.attentions.0.proj_in.weight")
	c.UseLinearProjection = len(projection) == 2
	switch c.CrossAttentionDim {
	case 0:
		return c, engine.Errorf(shapesOp, "", engine.BadFile, "the UNet is not complete: its middle block is missing")
	case sd1Width:
		c.AttentionHeadDim = perLevel{sd1Heads}
	case sd2Width:
		for _, width := range c.BlockOutChannels {
			c.AttentionHeadDim = append(c.AttentionHeadDim, width/headWidth)
		}
		if v {
			c.SampleSize = 96
		}
	default:
		return c, engine.Errorf(shapesOp, "", engine.Unsupported, "the UNet's context is %d wide, not 768 as in Stable Diffusion 1.x or 1024 as in 2.x, and a single file does not tell its heads; give this model as a folder in diffusers form", c.CrossAttentionDim)
	}
	return c, c.check()
}

// textOf reads the configuration of a text encoder in transformers' names. SD 1.x has OpenAI's CLIP, whose GELU is an
// approximation, SD 2.x OpenCLIP's with the exact one.
func textOf(s format.Source) (TextConfig, error) {
	const embeddings = "text_model.embeddings."
	c := TextConfig{VocabSize: dim(s, embeddings+"token_embedding.weight", 0), HiddenSize: dim(s, embeddings+"token_embedding.weight", 1),
		MaxPositions: dim(s, embeddings+"position_embedding.weight", 0), IntermediateSize: dim(s, "text_model.encoder.layers.0.mlp.fc1.weight", 0),
		HiddenAct: "gelu", LayerNormEps: layerNormEps}
	for c.Layers < maxLayers && s.Has(fmt.Sprintf("text_model.encoder.layers.%d.layer_norm1.weight", c.Layers)) {
		c.Layers++
	}
	if c.HiddenSize == sd1Width {
		c.HiddenAct = "quick_gelu"
	}
	c.Heads = max(c.HiddenSize/headWidth, 1)
	return c, c.check()
}

// vaeOf reads the configuration of a VAE in diffusers' names. It is not checked.
func vaeOf(s format.Source) VAEConfig {
	c := VAEConfig{InChannels: dim(s, "encoder.conv_in.weight", 1), OutChannels: dim(s, "decoder.conv_out.weight", 0),
		LatentChannels: dim(s, "decoder.conv_in.weight", 1), LayersPerBlock: 2, NormNumGroups: 32, ScalingFactor: 0.18215}
	for i := range maxBlocks {
		name := fmt.Sprintf("encoder.down_blocks.%d.resnets.0.conv1.weight", i)
		if !s.Has(name) {
			break
		}
		c.BlockOutChannels = append(c.BlockOutChannels, dim(s, name, 0))
	}
	return c
}

// dim is a dimension of a tensor; 0 where there is none.
func dim(s format.Source, name string, axis int) int {
	if _, shape, ok := s.Info(name); ok && axis < len(shape) {
		return shape[axis]
	}
	return 0
}
