package format

import (
	"fmt"
	"strconv"
	"strings"
)

// unetTop are the UNet's layers outside its blocks.
var unetTop = [][2]string{
	{"time_embed.0.", "time_embedding.linear_1."}, {"time_embed.2.", "time_embedding.linear_2."},
	{"label_emb.0.0.", "add_embedding.linear_1."}, {"label_emb.0.2.", "add_embedding.linear_2."},
	{"input_blocks.0.0.", "conv_in."}, {"out.0.", "conv_norm_out."}, {"out.2.", "conv_out."},
}

// unetResnet are the layers of a residual block. Those of a transformer have the same names on both sides.
var unetResnet = [][2]string{
	{"in_layers.0.", "norm1."}, {"in_layers.2.", "conv1."}, {"emb_layers.1.", "time_emb_proj."},
	{"out_layers.0.", "norm2."}, {"out_layers.3.", "conv2."}, {"skip_connection.", "conv_shortcut."},
}

// unetName translates a name below "model.diffusion_model."; empty where there is no such layer (formats.md 2.6,
// after diffusers' convert_ldm_unet_checkpoint). Blocks are counted through in the original and by levels in diffusers:
// three to a level, on the way down two residual blocks and a downsampling.
func unetName(name string) string {
	if top, ok := swapPrefix(name, unetTop); ok {
		return top
	}
	kind, rest, _ := strings.Cut(name, ".")
	n := 0
	if kind == "input_blocks" || kind == "output_blocks" {
		number, after, _ := strings.Cut(rest, ".")
		var err error
		if n, err = strconv.Atoi(number); err != nil || n < 0 {
			return ""
		}
		rest = after
	}
	sub, layer, _ := strings.Cut(rest, ".")
	switch kind {
	case "input_blocks":
		return downName(n-1, sub, layer)
	case "middle_block":
		return midName(sub, layer)
	case "output_blocks":
		return upName(n, sub, layer)
	}
	return ""
}

func downName(n int, sub, layer string) string {
	level := fmt.Sprintf("down_blocks.%d", n/3)
	op, isDown := strings.CutPrefix(layer, "op.")
	switch {
	case n%3 == 2 && sub == "0" && isDown:
		return level + ".downsamplers.0.conv." + op
	case n%3 == 2:
		return ""
	}
	return blockName(level, n%3, sub, layer)
}

func midName(sub, layer string) string {
	if sub == "2" {
		return blockName("mid_block", 1, "0", layer)
	}
	return blockName("mid_block", 0, sub, layer)
}

// upName knows an upsampling by its name: it comes after the transformer, or in its place where the level has none.
func upName(n int, sub, layer string) string {
	level := fmt.Sprintf("up_blocks.%d", n/3)
	if conv, ok := strings.CutPrefix(layer, "conv."); ok && n%3 == 2 && (sub == "1" || sub == "2") {
		return level + ".upsamplers.0.conv." + conv
	}
	return blockName(level, n%3, sub, layer)
}

// blockName is layer of a residual block (sub 0) or transformer (sub 1), the j-th of its level.
func blockName(level string, j int, sub, layer string) string {
	switch sub {
	case "0":
		if inner, ok := swapPrefix(layer, unetResnet); ok {
			return fmt.Sprintf("%s.resnets.%d.%s", level, j, inner)
		}
	case "1":
		if layer != "" {
			return fmt.Sprintf("%s.attentions.%d.%s", level, j, layer)
		}
	}
	return ""
}
