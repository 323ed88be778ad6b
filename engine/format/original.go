package format

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Original lays a component's tensors, in diffusers' names, out as an original single file has them: the inverse of Refs.
// It gives each of the file's names the refs of what lies in it. openCLIP says that a text encoder is SD2's, whose query,
// key and value are joined. What diffusers has no place for in an original file keeps its name below the component's
// prefix.
func Original(component string, names []string, openCLIP bool) map[string][]Ref {
	has := map[string]bool{}
	for _, name := range names {
		has[Canonical(component, name)] = true
	}
	own := map[string][]Ref{}
	for name := range has {
		to, ref := originalName(component, name, openCLIP, has)
		own[to] = append(own[to], ref)
	}
	return own
}

// Canonical is diffusers' present name of a tensor for one of its earlier names.
func Canonical(component, name string) string {
	translated := name
	switch component {
	case partText:
		translated = clipName(name)
	case partVAE:
		translated = vaeName(name)
	}
	if translated == "" {
		return name
	}
	return translated
}

func originalName(component, name string, openCLIP bool, has map[string]bool) (string, Ref) {
	ref := Ref{Part: component, Name: name, Of: 1}
	switch {
	case component == partUNet:
		return "model.diffusion_model." + unetOriginal(name, has), ref
	case component == partVAE:
		return "first_stage_model." + vaeOriginal(name), ref
	case !openCLIP:
		return "cond_stage_model.transformer." + name, ref
	}
	to, third := openCLIPOriginal(name)
	if third >= 0 {
		ref.Index, ref.Of = third, 3
	}
	return "cond_stage_model.model." + to, ref
}

// swapBack is swapPrefix the other way round.
func swapBack(name string, table [][2]string) (string, bool) {
	for _, row := range table {
		if rest, ok := strings.CutPrefix(name, row[1]); ok {
			return row[0] + rest, true
		}
	}
	return name, false
}

// unetBlock splits "down_blocks.1.attentions.0.proj_in.weight" and its like.
var unetBlock = regexp.MustCompile(`^(down|mid|up)_block(?:s\.(\d+))?\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)$`)

// unetOriginal is the inverse of unetName. An upsampling comes third where its level has transformers.
func unetOriginal(name string, has map[string]bool) string {
	m := unetBlock.FindStringSubmatch(name)
	if m == nil {
		top, _ := swapBack(name, unetTop)
		return top
	}
	level, _ := strconv.Atoi(m[2]) // digits; none are 0
	j, _ := strconv.Atoi(m[4])
	kind, layer, sub := m[3], m[5], 0
	switch kind {
	case "resnets":
		layer, _ = swapBack(layer, unetResnet)
	case "attentions":
		sub = 1
	case "downsamplers":
		return fmt.Sprintf("input_blocks.%d.0.op.%s", 3*level+3, strings.TrimPrefix(layer, "conv."))
	case "upsamplers":
		sub = 1
		if has[fmt.Sprintf("up_blocks.%d.attentions.0.norm.weight", level)] {
			sub = 2
		}
		return fmt.Sprintf("output_blocks.%d.%d.%s", 3*level+2, sub, layer)
	}
	switch m[1] {
	case "down":
		return fmt.Sprintf("input_blocks.%d.%d.%s", 3*level+j+1, sub, layer)
	case "up":
		return fmt.Sprintf("output_blocks.%d.%d.%s", 3*level+j, sub, layer)
	}
	return fmt.Sprintf("middle_block.%d.%s", 2*j+sub, layer) // two residual blocks around the transformer
}

// vaeBack is vaeLayers the other way round.
var vaeBack = strings.NewReplacer(
	"encoder.down_blocks.", "encoder.down.",
	"decoder.up_blocks.0", "decoder.up.3", "decoder.up_blocks.1", "decoder.up.2",
	"decoder.up_blocks.2", "decoder.up.1", "decoder.up_blocks.3", "decoder.up.0",
	".mid_block.resnets.0.", ".mid.block_1.", ".mid_block.resnets.1.", ".mid.block_2.", ".mid_block.attentions.0.", ".mid.attn_1.",
	".resnets.", ".block.", ".downsamplers.0.conv.", ".downsample.conv.", ".upsamplers.0.conv.", ".upsample.conv.",
	"conv_shortcut.", "nin_shortcut.", ".conv_norm_out.", ".norm_out.",
)

// vaeOriginal is the inverse of vaeName.
func vaeOriginal(name string) string {
	name = vaeBack.Replace(name)
	const attention = ".mid.attn_1."
	if at := strings.Index(name, attention); at >= 0 {
		at += len(attention)
		layer, _ := swapBack(name[at:], vaeAttention)
		return name[:at] + layer
	}
	return name
}

// openCLIPOriginal is the inverse of openCLIPWithout's: third says which of a joined projection, or -1.
func openCLIPOriginal(name string) (own string, third int) {
	if top, ok := swapBack(name, openCLIPTop); ok {
		return top, -1
	}
	inBlock, _ := strings.CutPrefix(name, "text_model.encoder.layers.")
	number, layer, _ := strings.Cut(inBlock, ".")
	block := "transformer.resblocks." + number + "."
	for i, p := range []string{"q", "k", "v"} {
		if kind, ok := strings.CutPrefix(layer, "self_attn."+p+"_proj."); ok {
			return block + "attn.in_proj_" + kind, i
		}
	}
	layer, ok := swapBack(layer, openCLIPBlock)
	if !ok {
		return name, -1
	}
	return block + layer, -1
}

// isVAEMatrix says that the original file has the tensor own as a 1x1 convolution where diffusers has a matrix.
func isVAEMatrix(own string) bool {
	return strings.HasPrefix(own, "first_stage_model.") && strings.Contains(own, ".mid.attn_1.") && strings.HasSuffix(own, ".weight") && !strings.Contains(own, ".norm.")
}

// OriginalShape is the shape that a tensor of diffusers' has in an original file.
func OriginalShape(own string, shape []int) []int {
	if isVAEMatrix(own) && len(shape) == 2 {
		return append(append([]int(nil), shape...), 1, 1)
	}
	return shape
}
