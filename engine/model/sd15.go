package model

import "easel/engine/kernel"

// SD15 is a model of Stable Diffusion 1.5's shape with random weights stored as dtype, for timing
// (runwayml/stable-diffusion-v1-5, unet, text_encoder and vae config.json).
func SD15(dtype kernel.DType) *Model {
	unet := UNetConfig{InChannels: 4, OutChannels: 4, SampleSize: 64, BlockOutChannels: []int{320, 640, 1280, 1280}, LayersPerBlock: 2,
		DownBlockTypes:    []string{"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"},
		UpBlockTypes:      []string{"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"},
		CrossAttentionDim: 768, NormNumGroups: 32, NormEps: 1e-5, AttentionHeadDim: perLevel{8}, ActFn: "silu"}
	text := TextConfig{VocabSize: 49408, HiddenSize: 768, IntermediateSize: 3072, Layers: 12, Heads: 12, MaxPositions: 77,
		HiddenAct: "quick_gelu", LayerNormEps: 1e-5}
	vae := VAEConfig{InChannels: 3, OutChannels: 3, LatentChannels: 4, BlockOutChannels: []int{128, 256, 512, 512}, LayersPerBlock: 2,
		NormNumGroups: 32, ScalingFactor: 0.18215}
	return New(unet, text, vae, []byte(`{"beta_start":0.00085,"beta_end":0.012,"beta_schedule":"scaled_linear","num_train_timesteps":1000}`), NewRandom(dtype))
}
