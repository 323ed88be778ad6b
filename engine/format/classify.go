package format

import (
	"fmt"
	"slices"
	"strings"
)

// classify says what the tensors of a file are, by their names and shapes.
func classify(info *Info, s Source) {
	names := s.Names()
	any := func(prefix ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool {
			return slices.ContainsFunc(prefix, func(p string) bool { return strings.HasPrefix(n, p) })
		})
	}
	info.Kind = KindTensors
	if other := otherFamily(names); other != "" {
		info.Note = "This is a model of another family (" + other + "), which Easel cannot use."
		return
	}
	switch naming := loraNaming(names); {
	case naming != "":
		info.Kind, info.Naming = KindLoRA, naming
		inspectLoRA(info, s)
	case any("model.diffusion_model."):
		info.Kind, info.Base, info.Note = KindCheckpoint, baseOfCheckpoint(s), variant(s)
	case s.Has("conv_in.weight") && any("down_blocks."):
		info.Kind, info.Base = KindUNet, baseOfUNet(s)
	case any("first_stage_model.", "encoder.down.", "encoder.down_blocks.", "decoder.up.", "decoder.up_blocks.", "vae."):
		info.Kind = KindVAE
	case any("text_model.", "embeddings.token_embedding.", "encoder.layers.", "transformer.resblocks."):
		info.Kind = KindTextEncoder
	default:
		inspectEmbedding(info, s)
	}
}

// otherFamily names an architecture that is no Stable Diffusion 1, 2 or XL.
func otherFamily(names []string) string {
	for _, n := range names {
		n = strings.TrimPrefix(n, "model.diffusion_model.")
		switch {
		case strings.HasPrefix(n, "double_blocks."):
			return "Flux or alike"
		case strings.HasPrefix(n, "joint_blocks."):
			return "SD3"
		case strings.HasPrefix(n, "x_embedder."):
			return "a diffusion transformer"
		}
	}
	return ""
}

// lastDim is the last dimension of a tensor, 0 where it is absent.
func lastDim(s Source, name string) int {
	if _, shape, ok := s.Info(name); ok && len(shape) > 0 {
		return shape[len(shape)-1]
	}
	return 0
}

// baseOfWidth is the family of a context width.
func baseOfWidth(width int) string {
	return map[int]string{768: "SD1", 1024: "SD2", 2048: "SDXL"}[width]
}

// baseOfCheckpoint follows formats.md 2.10: the text encoders' names decide before any width does, so reduced
// models of the same topology are known too.
func baseOfCheckpoint(s Source) string {
	const unet = "model.diffusion_model."
	const openCLIP = "conditioner.embedders.0.model.ln_final.weight"
	switch {
	case s.Has("conditioner.embedders.1.model.ln_final.weight"):
		return "SDXL"
	case lastDim(s, openCLIP) == 1024:
		return "SD2" // SD2-turbo
	case s.Has(openCLIP):
		return "" // the SDXL refiner
	case s.Has("cond_stage_model.model.ln_final.weight"):
		return "SD2"
	case s.Has(unet + "label_emb.0.0.weight"):
		return "SDXL"
	}
	if base := baseOfWidth(lastDim(s, unet+"input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight")); base != "" {
		return base
	}
	return baseOfProjection(s, unet+"middle_block.1.proj_in.weight")
}

// baseOfUNet is the family of a UNet in diffusers' names.
func baseOfUNet(s Source) string {
	if s.Has("add_embedding.linear_1.weight") {
		return "SDXL"
	}
	if base := baseOfWidth(lastDim(s, "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight")); base != "" {
		return base
	}
	return baseOfProjection(s, "mid_block.attentions.0.proj_in.weight")
}

// baseOfProjection tells SD1, whose projections are 1x1 convolutions, from SD2, where they are linear.
func baseOfProjection(s Source, name string) string {
	_, shape, _ := s.Info(name)
	return map[int]string{4: "SD1", 2: "SD2"}[len(shape)]
}

// variant notes what a checkpoint's input says, and the SDXL refiner.
func variant(s Source) string {
	_, shape, _ := s.Info("model.diffusion_model.input_blocks.0.0.weight")
	switch {
	case len(shape) == 4 && shape[1] != 4:
		use := map[int]string{5: " (depth)", 8: " (pix2pix)", 9: " (inpainting)"}[shape[1]]
		return fmt.Sprintf("Its UNet takes %d channels%s instead of 4.", shape[1], use)
	case baseOfCheckpoint(s) == "" && s.Has("conditioner.embedders.0.model.ln_final.weight"):
		return "This is the SDXL refiner, which Easel cannot use."
	}
	return ""
}

// inspectEmbedding knows a textual inversion by its few small tensors (formats.md 5.1).
func inspectEmbedding(info *Info, s Source) {
	names := s.Names()
	switch {
	case s.Has("clip_l") && s.Has("clip_g"):
		info.Kind, info.Base = KindEmbedding, "SDXL"
	case len(names) == 1 || s.Has("emb_params"):
		name := names[0]
		if s.Has("emb_params") {
			name = "emb_params"
		}
		if _, shape, _ := s.Info(name); len(shape) == 1 || len(shape) == 2 {
			info.Kind, info.Base = KindEmbedding, baseOfWidth(lastDim(s, name))
		}
	}
}
