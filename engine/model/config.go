// Package model builds the networks of the Stable Diffusion 1.x and 2.x family as graphs: CLIP's text encoder, the
// UNet and the VAE. Every width, depth, head and group count comes from the config files of a diffusers folder, so
// the small built-in model, the test models and the full size are the same code.
package model

import (
	"encoding/json"
	"fmt"
	"slices"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
)

// UNetConfig is unet/config.json of a diffusers folder (UNet2DConditionModel).
type UNetConfig struct {
	InChannels          int      `json:"in_channels"`
	OutChannels         int      `json:"out_channels"`
	SampleSize          int      `json:"sample_size"` // side of the latents it was trained on
	BlockOutChannels    []int    `json:"block_out_channels"`
	LayersPerBlock      int      `json:"layers_per_block"`
	DownBlockTypes      []string `json:"down_block_types"`
	UpBlockTypes        []string `json:"up_block_types"`
	CrossAttentionDim   int      `json:"cross_attention_dim"`
	NormNumGroups       int      `json:"norm_num_groups"`
	NormEps             float32  `json:"norm_eps"`
	UseLinearProjection bool     `json:"use_linear_projection"`
	// AttentionHeadDim is, despite its name, the number of heads: one for all levels or one a level.
	AttentionHeadDim perLevel `json:"attention_head_dim"`
	// NumAttentionHeads overrides AttentionHeadDim where given.
	NumAttentionHeads perLevel `json:"num_attention_heads"`
	TransformerLayers perLevel `json:"transformer_layers_per_block"`

	// Variants that change the mathematics; any of them is refused.
	TimeCondProjDim    *int   `json:"time_cond_proj_dim"`
	EncoderHidDim      *int   `json:"encoder_hid_dim"`
	DualCrossAttention bool   `json:"dual_cross_attention"`
	AttentionType      string `json:"attention_type"`
	ResnetTimeShift    string `json:"resnet_time_scale_shift"`
	MidBlockType       string `json:"mid_block_type"`

	ActFn             string `json:"act_fn"`
	AdditionEmbedType string `json:"addition_embed_type"`
	ClassEmbedType    string `json:"class_embed_type"`
	FlipSinToCos      *bool  `json:"flip_sin_to_cos"`
	FreqShift         int    `json:"freq_shift"`
}

// perLevel is a number for all levels, or a list with one for each.
type perLevel []int

// UnmarshalJSON reads 8, [5, 10, 20, 20] or null.
func (p *perLevel) UnmarshalJSON(b []byte) error {
	var one *int
	if err := json.Unmarshal(b, &one); err == nil {
		*p = nil
		if one != nil {
			*p = perLevel{*one}
		}
		return nil
	}
	var list []int
	if err := json.Unmarshal(b, &list); err != nil {
		return fmt.Errorf("neither a number nor a list of numbers: %s", b)
	}
	*p = list
	return nil
}

// at returns the number of a level, or otherwise where the list is empty.
func (p perLevel) at(level, otherwise int) int {
	switch {
	case len(p) == 0:
		return otherwise
	case level < len(p):
		return p[level]
	}
	return p[len(p)-1]
}

// ParseUNetConfig reads and checks a UNet's config.json.
func ParseUNetConfig(b []byte) (UNetConfig, error) {
	c := UNetConfig{InChannels: 4, OutChannels: 4, SampleSize: 64, LayersPerBlock: 2, CrossAttentionDim: 768,
		NormNumGroups: 32, NormEps: 1e-5, ActFn: "silu"}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, engine.Errorf("read UNet config", "", engine.BadFile, "%w", err)
	}
	return c, c.check()
}

func (c *UNetConfig) heads(level int) int {
	if len(c.NumAttentionHeads) > 0 {
		return c.NumAttentionHeads.at(level, 8)
	}
	return c.AttentionHeadDim.at(level, 8)
}

func (c *UNetConfig) check() error {
	bad := func(format string, args ...any) error {
		return engine.Errorf("read UNet config", "", engine.BadFile, format, args...)
	}
	switch {
	case c.AdditionEmbedType != "":
		return engine.Errorf("read UNet config", "", engine.Unsupported, "this is an SDXL model; %s", format.Trains)
	case c.TimeCondProjDim != nil || c.EncoderHidDim != nil || c.DualCrossAttention ||
		!oneOf(c.AttentionType, "", "default") || !oneOf(c.ResnetTimeShift, "", "default") || !oneOf(c.MidBlockType, "", "UNetMidBlock2DCrossAttn"):
		return engine.Errorf("read UNet config", "", engine.Unsupported, "this UNet is a variant that Easel does not know")
	case c.ClassEmbedType != "" || c.ActFn != "silu" || c.FreqShift != 0 || (c.FlipSinToCos != nil && !*c.FlipSinToCos):
		return engine.Errorf("read UNet config", "", engine.Unsupported, "this UNet is a variant that Easel does not know")
	case len(c.BlockOutChannels) == 0 || len(c.BlockOutChannels) > 8:
		return bad("block_out_channels lists %d levels", len(c.BlockOutChannels))
	case len(c.DownBlockTypes) != len(c.BlockOutChannels) || len(c.UpBlockTypes) != len(c.BlockOutChannels):
		return bad("the lists of blocks and of widths differ in length")
	case c.LayersPerBlock < 1 || c.LayersPerBlock > 16:
		return bad("layers_per_block is %d", c.LayersPerBlock)
	}
	for i, w := range c.BlockOutChannels {
		if err := checkWidth(w, c.NormNumGroups); err != nil {
			return bad("level %d: %w", i, err)
		}
		if n := c.TransformerLayers.at(i, 1); n < 1 || n > 16 {
			return bad("level %d: %d transformer blocks", i, n)
		}
		if h := c.heads(i); h < 1 || w%h != 0 {
			return bad("level %d: %d channels cannot be split into %d heads", i, w, h)
		}
		for _, kind := range []string{c.DownBlockTypes[i], c.UpBlockTypes[i]} {
			switch kind {
			case "DownBlock2D", "CrossAttnDownBlock2D", "UpBlock2D", "CrossAttnUpBlock2D":
			default:
				return engine.Errorf("read UNet config", "", engine.Unsupported, "block type %q is not known", kind)
			}
		}
	}
	if min(c.InChannels, c.OutChannels, c.CrossAttentionDim, c.SampleSize) < 1 || max(c.InChannels, c.OutChannels, c.CrossAttentionDim, c.SampleSize) > 1<<14 {
		return bad("a size is missing or not positive")
	}
	return nil
}

func oneOf(v string, known ...string) bool { return slices.Contains(known, v) }

// checkWidth refuses widths that no model has, before memory is taken for them.
func checkWidth(width, groups int) error {
	if width < 1 || width > 1<<14 || groups < 1 || width%groups != 0 {
		return fmt.Errorf("%d channels cannot be split into %d groups", width, groups)
	}
	return nil
}

// TextConfig is text_encoder/config.json (CLIPTextModel).
type TextConfig struct {
	VocabSize        int     `json:"vocab_size"`
	HiddenSize       int     `json:"hidden_size"`
	IntermediateSize int     `json:"intermediate_size"`
	Layers           int     `json:"num_hidden_layers"`
	Heads            int     `json:"num_attention_heads"`
	MaxPositions     int     `json:"max_position_embeddings"`
	HiddenAct        string  `json:"hidden_act"`
	LayerNormEps     float32 `json:"layer_norm_eps"`
}

// ParseTextConfig reads and checks a text encoder's config.json.
func ParseTextConfig(b []byte) (TextConfig, error) {
	c := TextConfig{VocabSize: 49408, HiddenSize: 512, IntermediateSize: 2048, Layers: 12, Heads: 8, MaxPositions: 77,
		HiddenAct: "quick_gelu", LayerNormEps: 1e-5}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, engine.Errorf("read text encoder config", "", engine.BadFile, "%w", err)
	}
	return c, c.check()
}

func (c *TextConfig) check() error {
	if min(c.VocabSize, c.HiddenSize, c.IntermediateSize, c.Layers, c.Heads, c.MaxPositions) < 1 ||
		max(c.HiddenSize, c.IntermediateSize, c.Layers, c.MaxPositions) > 1<<15 || c.VocabSize > 1<<24 || c.HiddenSize%c.Heads != 0 {
		return engine.Errorf("read text encoder config", "", engine.BadFile, "sizes do not fit together: width %d, %d heads, %d layers", c.HiddenSize, c.Heads, c.Layers)
	}
	_, err := c.activation()
	return err
}

func (c *TextConfig) activation() (kernel.Activation, error) {
	switch c.HiddenAct {
	case "quick_gelu":
		return kernel.QuickGELU, nil
	case "gelu":
		return kernel.GELU, nil
	}
	return 0, engine.Errorf("read text encoder config", "", engine.Unsupported, "activation %q is not known", c.HiddenAct)
}

// VAEConfig is vae/config.json (AutoencoderKL).
type VAEConfig struct {
	InChannels       int     `json:"in_channels"`
	OutChannels      int     `json:"out_channels"`
	LatentChannels   int     `json:"latent_channels"`
	BlockOutChannels []int   `json:"block_out_channels"`
	LayersPerBlock   int     `json:"layers_per_block"`
	NormNumGroups    int     `json:"norm_num_groups"`
	ScalingFactor    float64 `json:"scaling_factor"`
}

// ParseVAEConfig reads and checks a VAE's config.json.
func ParseVAEConfig(b []byte) (VAEConfig, error) {
	c := VAEConfig{InChannels: 3, OutChannels: 3, LatentChannels: 4, LayersPerBlock: 1, NormNumGroups: 32, ScalingFactor: 0.18215}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, engine.Errorf("read VAE config", "", engine.BadFile, "%w", err)
	}
	return c, c.check()
}

func (c *VAEConfig) check() error {
	if len(c.BlockOutChannels) == 0 || len(c.BlockOutChannels) > 8 || c.LayersPerBlock < 1 || c.LayersPerBlock > 16 ||
		min(c.InChannels, c.OutChannels, c.LatentChannels) < 1 || c.LatentChannels > 1<<10 || c.ScalingFactor <= 0 {
		return engine.Errorf("read VAE config", "", engine.BadFile, "sizes do not fit together")
	}
	if c.InChannels != 3 || c.OutChannels != 3 {
		return engine.Errorf("read VAE config", "", engine.Unsupported, "the VAE reads %d and makes %d colour channels, not 3", c.InChannels, c.OutChannels)
	}
	for i, w := range c.BlockOutChannels {
		if err := checkWidth(w, c.NormNumGroups); err != nil {
			return engine.Errorf("read VAE config", "", engine.BadFile, "level %d: %w", i, err)
		}
	}
	return nil
}

// Factor is the number of pixels a side that one latent stands for.
func (c *VAEConfig) Factor() int { return 1 << (len(c.BlockOutChannels) - 1) }
