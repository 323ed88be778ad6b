package format

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
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
		case strings.Contains(n, ".lora_A.") || strings.Contains(n, ".lora_B.") || strings.Contains(n, "lora.down.") || strings.Contains(n, "lora.up."),
			strings.Contains(n, ".lora_down.") || strings.Contains(n, ".lora_up."):
			return "diffusers"
		case strings.HasSuffix(n, ":down") || strings.HasSuffix(n, ":up"):
			return "cloneofsimo"
		}
	}
	if len(names) > 1 && !slices.ContainsFunc(names, func(n string) bool { return !isPosition(n) }) {
		return "cloneofsimo"
	}
	return ""
}

// isPosition says whether a name is a place in a pickled list.
func isPosition(name string) bool {
	_, err := strconv.Atoi(name)
	return err == nil
}

func inspectLoRA(info *Info, s Source) {
	for _, name := range s.Names() {
		if _, shape, _ := s.Info(name); isDown(name) && len(shape) >= 2 && !slices.Contains(info.Ranks, shape[0]) {
			info.Ranks = append(info.Ranks, shape[0])
		}
		if info.Note == "" {
			info.Note = loraNote(name, info)
		}
	}
	slices.Sort(info.Ranks)
	info.Base = baseOfLoRA(s, info.Metadata)
}

// loraNote says what is special about a tensor of a LoRA; nothing, mostly.
func loraNote(name string, info *Info) string {
	known := false
	if info.Naming == "cloneofsimo" {
		_, _, _, known = splitCloneofsimo(name, "")
	} else {
		_, known = parseLoRAKey(name, loraPrefixes[1])
	}
	switch _, part, _ := splitLoRAKey(name); {
	case part == loraMagnitude:
		return "It is a DoRA: it also says how large each output of a layer is."
	case known:
		return ""
	case strings.HasPrefix(name, bundlePrefix):
		word, _, _ := strings.Cut(strings.TrimPrefix(name, bundlePrefix), ".")
		return fmt.Sprintf("It also holds the vectors of the word %s.", word)
	case info.Metadata[name] == "<embed>":
		return fmt.Sprintf("It also holds the vector of the word %s, which Easel leaves out.", name)
	}
	return "It is not plain: " + refusal(name) + "."
}

func isDown(name string) bool {
	_, part, ok := splitLoRAKey(name)
	if !ok {
		_, _, part, _ = splitCloneofsimo(name, "")
	}
	return part == loraDown
}

// firstTextPrefix is kohya's prefix of the first text encoder: SDXL, which has two, numbers them.
func firstTextPrefix(f *File) string {
	if BaseOfLoRA(f) == "SDXL" {
		return "lora_te1_"
	}
	return "lora_te_"
}

// BaseOfLoRA is the family of the model that a LoRA was made for: "SD1", "SD2", "SDXL", or empty where f does not tell.
func BaseOfLoRA(f *File) string { return baseOfLoRA(f, f.Metadata()) }

// LoRAOrigin names the model that a LoRA was made for, as far as f tells: "SD2, v2-1_768-ema-pruned.safetensors".
func LoRAOrigin(f *File) string {
	origin := []string{cmp.Or(BaseOfLoRA(f), "of an unknown family")}
	if name := f.Metadata()["ss_sd_model_name"]; name != "" && name != "None" {
		origin = append(origin, name)
	}
	return strings.Join(origin, ", ")
}

// baseOfLoRA guesses the family: by names that only SDXL has, by the width of the text context, by what the
// metadata say, by the rank of the projections' shapes.
func baseOfLoRA(s Source, metadata map[string]string) string {
	var byShape string
	for _, name := range s.Names() {
		plain := strings.ReplaceAll(name, ".", "_")
		switch {
		case strings.HasPrefix(plain, "lora_te1_"), strings.HasPrefix(plain, "lora_te2_"), strings.HasPrefix(plain, "text_encoder_2_"),
			strings.Contains(plain, "_transformer_blocks_1_"):
			return "SDXL"
		case !isDown(name):
			continue
		case strings.Contains(plain, "attn2_") && (strings.Contains(plain, "to_k") || strings.Contains(plain, "to_v")),
			strings.HasPrefix(name, "text_encoder:"), name == "unet:6:down", name == "1", name == "13": // cloneofsimo's
			if base := baseOfWidth(lastDim(s, name)); base != "" {
				return base
			}
		case strings.Contains(plain, "proj_in") && byShape == "":
			_, shape, _ := s.Info(name)
			byShape = map[int]string{4: "SD1", 2: "SD2"}[len(shape)]
		}
	}
	version := metadata["ss_base_model_version"]
	for prefix, base := range map[string]string{"sd_v1": "SD1", "sd_v2": "SD2", "sdxl_": "SDXL"} {
		if strings.HasPrefix(version, prefix) {
			return base
		}
	}
	return byShape
}
