package format

import "strings"

// vaeLayers turns the original names of the VAE's layers into diffusers'; it leaves those that are diffusers' already
// (formats.md 2.7). Levels of the decoder count the other way round; there are always four.
var vaeLayers = strings.NewReplacer(
	"encoder.down.", "encoder.down_blocks.",
	"decoder.up.0", "decoder.up_blocks.3", "decoder.up.1", "decoder.up_blocks.2",
	"decoder.up.2", "decoder.up_blocks.1", "decoder.up.3", "decoder.up_blocks.0",
	".block.", ".resnets.", ".downsample.conv.", ".downsamplers.0.conv.", ".upsample.conv.", ".upsamplers.0.conv.",
	".mid.block_1.", ".mid_block.resnets.0.", ".mid.block_2.", ".mid_block.resnets.1.", ".mid.attn_1.", ".mid_block.attentions.0.",
	"nin_shortcut.", "conv_shortcut.", ".norm_out.", ".conv_norm_out.",
)

// vaeAttention does the same for the layers of the attention: those of the original and of diffusers before 0.17.
var vaeAttention = [][2]string{
	{"norm.", "group_norm."}, {"q.", "to_q."}, {"k.", "to_k."}, {"v.", "to_v."}, {"proj_out.", "to_out.0."},
	{"query.", "to_q."}, {"key.", "to_k."}, {"value.", "to_v."}, {"proj_attn.", "to_out.0."},
}

// vaeName translates a VAE's name, original or diffusers'; empty where it is none of a VAE's layers, such as "loss.".
func vaeName(name string) string {
	kind, _, _ := strings.Cut(name, ".")
	switch kind {
	case "quant_conv", "post_quant_conv":
		return name
	case "encoder", "decoder":
	default:
		return ""
	}
	name = vaeLayers.Replace(name)
	const attention = "mid_block.attentions.0."
	if at := strings.Index(name, attention); at >= 0 {
		at += len(attention)
		if layer, ok := swapPrefix(name[at:], vaeAttention); ok {
			return name[:at] + layer
		}
	}
	return name
}
