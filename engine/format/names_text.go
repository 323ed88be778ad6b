package format

import "strings"

// lastOfViTH is the 24th layer of SD2's text encoder, whose output no Stable Diffusion uses; diffusers leaves it out.
const lastOfViTH = "23"

// clipName translates a name of transformers' CLIP, with "text_model." before it or, in files of 2022, without.
func clipName(name string) string {
	name = strings.TrimPrefix(name, "text_model.")
	for _, layers := range []string{"embeddings.token_embedding.", "embeddings.position_embedding.", "encoder.layers.", "final_layer_norm."} {
		if strings.HasPrefix(name, layers) {
			return "text_model." + name
		}
	}
	return ""
}

// openCLIPTop are the layers of OpenCLIP's text encoder outside its blocks (formats.md 2.8). Its text_projection and
// logit_scale have no place in a Stable Diffusion.
var openCLIPTop = [][2]string{
	{"positional_embedding", "text_model.embeddings.position_embedding.weight"},
	{"token_embedding.", "text_model.embeddings.token_embedding."}, {"ln_final.", "text_model.final_layer_norm."},
}

var openCLIPBlock = [][2]string{
	{"ln_1.", "layer_norm1."}, {"ln_2.", "layer_norm2."}, {"attn.out_proj.", "self_attn.out_proj."},
	{"mlp.c_fc.", "mlp.fc1."}, {"mlp.c_proj.", "mlp.fc2."},
}

// openCLIPWithout translates OpenCLIP's names, of all blocks but one.
func openCLIPWithout(block string) func(string) []Ref {
	return func(name string) []Ref {
		if top, ok := swapPrefix(name, openCLIPTop); ok {
			return []Ref{{Name: top, Of: 1}}
		}
		inBlock, ok := strings.CutPrefix(name, "transformer.resblocks.")
		number, layer, _ := strings.Cut(inBlock, ".")
		if !ok || number == block {
			return nil
		}
		layers := "text_model.encoder.layers." + number + "."
		if kind, ok := strings.CutPrefix(layer, "attn.in_proj_"); ok {
			return projections(layers, kind)
		}
		if layer, ok := swapPrefix(layer, openCLIPBlock); ok {
			return []Ref{{Name: layers + layer, Of: 1}}
		}
		return nil
	}
}

// projections are the thirds of in_proj_weight or in_proj_bias.
func projections(block, kind string) []Ref {
	var refs []Ref
	for i, p := range []string{"q", "k", "v"} {
		refs = append(refs, Ref{Name: block + "self_attn." + p + "_proj." + kind, Index: i, Of: 3})
	}
	return refs
}
