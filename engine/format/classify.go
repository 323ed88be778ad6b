package format

import (
	"slices"
	"strings"
	"unicode"
)

// classify says what the tensors of a file are, by their names and shapes, and maps them as those of a checkpoint.
func classify(info *Info, f *File) *Checkpoint {
	c := NewCheckpoint(f)
	names := f.Names()
	any := func(prefix ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool {
			return slices.ContainsFunc(prefix, func(p string) bool { return strings.HasPrefix(n, p) })
		})
	}
	info.Kind = KindTensors
	if info.family = otherFamily(names); info.family != "" {
		return c
	}
	switch naming := loraNaming(names); {
	case naming != "":
		info.Kind, info.Naming = KindLoRA, naming
		if any(bundlePrefix) {
			info.Kind = KindBundle
		}
		inspectLoRA(info, f)
	case any("control_model.", "controlnet_cond_embedding.", "input_hint_block."):
		info.Kind = KindControlNet
	case c.parts[partUNet] != nil:
		info.Kind, info.Base = KindCheckpoint, baseOfCheckpoint(f, c.parts[partUNet])
	case f.Has("conv_in.weight") && any("down_blocks."):
		info.Kind, info.Base = KindUNet, baseOfUNet(f)
	case f.Has("input_blocks.0.0.weight"):
		info.Kind, info.Base = KindUNet, baseOfUNet(mapNames(f, whole(unetName)).parts[""])
	case any("first_stage_model.", "encoder.down.", "encoder.down_blocks.", "decoder.up.", "decoder.up_blocks.", "vae."):
		info.Kind = KindVAE
	case any("text_model.", "cond_stage_model.", "conditioner.", "embeddings.token_embedding.", "encoder.layers.", "transformer.resblocks.", "encoder.block."):
		info.Kind = KindTextEncoder
	case isCaptioner(f):
		info.Kind = KindCaptioner
	case isTagger(f):
		info.Kind = KindTagger
	case slices.ContainsFunc(names, isHypernetwork):
		info.Kind = KindHypernetwork
	default:
		inspectEmbedding(info, f)
	}
	return c
}

// isHypernetwork knows A1111's hypernetworks by their integer keys, the widths of the contexts (formats.md 6.1).
func isHypernetwork(name string) bool {
	width, rest, _ := strings.Cut(name, ".")
	return width != "" && strings.TrimFunc(width, unicode.IsDigit) == "" && (strings.HasPrefix(rest, "0.linear") || strings.HasPrefix(rest, "1.linear"))
}

// note says what hinders the use of a file as a model, for kinds that are models, and what a captioner is for.
func note(info Info, c *Checkpoint) string {
	switch info.Kind {
	case KindCaptioner:
		return "It describes pictures in sentences, for captions: easel caption --model."
	case KindTagger:
		return "It describes pictures in tags, for captions, where " + TagsFile + " lies beside it: easel caption --model."
	}
	models := []FileKind{KindCheckpoint, KindUNet, KindControlNet}
	if !slices.Contains(models, info.Kind) && info.family == "" {
		return ""
	}
	if what := notTrained(info, c); what != "" {
		return "This is " + what + ". " + Trains + "."
	}
	return ""
}

// inspectEmbedding knows a textual inversion by its few small tensors (formats.md 5.1).
func inspectEmbedding(info *Info, s Source) {
	names := s.Names()
	one := slices.IndexFunc(names, func(n string) bool { return n == "emb_params" || strings.HasPrefix(n, "string_to_param.") })
	switch {
	case s.Has("clip_l") && s.Has("clip_g"):
		info.Kind, info.Base = KindEmbedding, "SDXL"
	case len(names) == 1 || one >= 0:
		name := names[max(one, 0)]
		if _, shape, _ := s.Info(name); len(shape) == 1 || len(shape) == 2 {
			info.Kind, info.Base = KindEmbedding, baseOfWidth(lastDim(s, name))
		}
	}
}
