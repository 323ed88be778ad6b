package format

import (
	"slices"
	"strings"
)

// loraNaming says in whose names a LoRA is, from its tensors; empty where the file holds none.
func loraNaming(names []string) string {
	for _, n := range names {
		switch {
		case strings.HasPrefix(n, "lora_unet_") || strings.HasPrefix(n, "lora_te"):
			return "kohya"
		case strings.HasPrefix(n, "base_model.model."):
			return "peft"
		case strings.Contains(n, ".lora_A.") || strings.Contains(n, ".lora_B.") || strings.Contains(n, "lora.down.") || strings.Contains(n, "lora.up."):
			return "diffusers"
		case strings.HasSuffix(n, ":down") || strings.HasSuffix(n, ":up"):
			return "cloneofsimo"
		}
	}
	return ""
}

func inspectLoRA(info *Info, s Source) {
	for _, name := range s.Names() {
		_, shape, _ := s.Info(name)
		if isDown(name) && len(shape) >= 2 && !slices.Contains(info.Ranks, shape[0]) {
			info.Ranks = append(info.Ranks, shape[0])
		}
		if info.Note == "" && info.Naming == "kohya" {
			if _, part, _ := strings.Cut(name, "."); !isLoRAPart(part) {
				info.Note = "It is not plain: " + refusal(name) + "."
			}
		}
	}
	slices.Sort(info.Ranks)
	if info.Naming != "kohya" {
		info.Note = "Easel cannot use this LoRA, because its tensors have the names of " + info.Naming +
			"; convert it to kohya's names, as A1111 and ComfyUI use them."
	}
	info.Base = baseOfLoRA(info, s)
}

func isDown(name string) bool {
	for _, suffix := range []string{".lora_down.weight", ".lora_A.weight", "lora.down.weight", ".lora_A.default.weight", ":down"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// baseOfLoRA guesses the family: by names that only SDXL has, by the width of the text context, by what the
// metadata say, by the rank of the projections' shapes.
func baseOfLoRA(info *Info, s Source) string {
	var byShape string
	for _, name := range s.Names() {
		plain := strings.ReplaceAll(name, ".", "_")
		switch {
		case strings.HasPrefix(plain, "lora_te1_"), strings.HasPrefix(plain, "lora_te2_"), strings.HasPrefix(plain, "text_encoder_2_"),
			strings.HasPrefix(plain, "lora_unet_input_blocks_"), strings.HasPrefix(plain, "lora_unet_output_blocks_"):
			return "SDXL"
		case !isDown(name):
			continue
		case strings.Contains(plain, "attn2_") && (strings.Contains(plain, "to_k") || strings.Contains(plain, "to_v")):
			if base := baseOfWidth(lastDim(s, name)); base != "" {
				return base
			}
		case strings.Contains(plain, "proj_in") && byShape == "":
			_, shape, _ := s.Info(name)
			byShape = map[int]string{4: "SD1", 2: "SD2"}[len(shape)]
		}
	}
	version := info.Metadata["ss_base_model_version"]
	for prefix, base := range map[string]string{"sd_v1": "SD1", "sd_v2": "SD2", "sdxl_": "SDXL"} {
		if strings.HasPrefix(version, prefix) {
			return base
		}
	}
	return byShape
}
