package format

import (
	"slices"
	"strings"
)

// Trains says which models Easel can teach, for the refusal of others.
const Trains = "Easel trains models of Stable Diffusion 1.x and 2.x, as a .safetensors or .ckpt file with UNet and text encoder, or as a folder in diffusers form"

// otherFamilies are architectures that are no Stable Diffusion 1, 2 or XL, by the beginning of a name that only they
// have: in original files and in diffusers' (comfy/model_detection.py).
var otherFamilies = [][2]string{
	{"double_blocks.", "Flux or its like"}, {"single_transformer_blocks.", "Flux"}, {"double_layers.", "AuraFlow"},
	{"joint_blocks.", "Stable Diffusion 3"}, {"transformer_blocks.0.attn.add_q_proj.", "Stable Diffusion 3"},
	{"clf.1.", "Stable Cascade"}, {"clip_txt_mapper.", "Stable Cascade"},
	{"cap_embedder.", "Lumina"}, {"patch_embedding.", "Wan, a model of video"},
	{"adaln_single.", "PixArt"}, {"t_block.", "PixArt"}, {"mlp_t5.", "Hunyuan-DiT"},
	{"x_embedder.", "a diffusion transformer"}, {"pos_embed.proj.", "a diffusion transformer"},
}

// otherFamily names an architecture that is no Stable Diffusion 1, 2 or XL.
func otherFamily(names []string) string {
	for _, family := range otherFamilies {
		for _, n := range names {
			for _, prefix := range []string{"model.diffusion_model.", "transformer.", "model."} {
				n = strings.TrimPrefix(n, prefix)
			}
			if strings.HasPrefix(n, family[0]) {
				return family[1]
			}
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

const refiner = "SDXL refiner"

// baseOfCheckpoint follows formats.md 2.10: the text encoders' names decide before any width does, so reduced
// models of the same topology are known too.
func baseOfCheckpoint(f *File, unet Source) string {
	const openCLIP = "conditioner.embedders.0.model.ln_final.weight"
	switch {
	case f.Has("conditioner.embedders.1.model.ln_final.weight"):
		return "SDXL"
	case lastDim(f, openCLIP) == 1024:
		return "SD2" // SD2-turbo
	case f.Has(openCLIP):
		return refiner
	case f.Has("cond_stage_model.model.ln_final.weight"):
		return "SD2"
	}
	return baseOfUNet(unet)
}

// baseOfUNet is the family of a UNet in diffusers' names: by the width of the context, else by the projections, which
// are 1x1 convolutions in SD1 and linear in SD2.
func baseOfUNet(s Source) string {
	if s.Has("add_embedding.linear_1.weight") {
		return "SDXL"
	}
	names := s.Names()
	if i := slices.IndexFunc(names, func(n string) bool { return strings.HasSuffix(n, ".attn2.to_k.weight") }); i >= 0 {
		if base := baseOfWidth(lastDim(s, names[i])); base != "" {
			return base
		}
	}
	i := slices.IndexFunc(names, func(n string) bool { return strings.HasSuffix(n, ".proj_in.weight") })
	if i < 0 {
		return ""
	}
	_, shape, _ := s.Info(names[i])
	return map[int]string{4: "SD1", 2: "SD2"}[len(shape)]
}

// inputs are the UNets that take more than the latents, by their channels.
var inputs = map[int]string{5: "a depth model", 7: "an upscaling model", 8: "a pix2pix model", 9: "an inpainting model"}

// inputChannels is what a UNet in diffusers' names takes; 4 where that cannot be seen.
func inputChannels(unet Source) int {
	if _, shape, _ := unet.Info("conv_in.weight"); len(shape) == 4 {
		return shape[1]
	}
	return 4
}
