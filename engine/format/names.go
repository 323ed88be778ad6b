package format

import "strings"

// The components of a model, by the names of their folders in diffusers' layout.
const (
	partUNet  = "unet"
	partVAE   = "vae"
	partText  = "text_encoder"
	partText2 = "text_encoder_2" // SDXL's
)

// Ref says what a tensor of an original single file is to diffusers: a tensor of a component or, in OpenCLIP's joined
// projections, one of three that lie below each other.
type Ref struct {
	Part string // "unet", "vae", "text_encoder", "text_encoder_2"
	Name string // in diffusers' names
	// Index and Of say which of Of equal blocks of rows it is; Of is 1 where it is the whole tensor.
	Index, Of int
}

// prefixes of a component's tensors in original files, each with the names that follow it, the longest first
// (formats.md 2.5).
var prefixes = []struct {
	prefix, part string
	names        func(name string) []Ref
}{
	{"model.diffusion_model.", partUNet, whole(unetName)},
	{"first_stage_model.", partVAE, whole(vaeName)},
	{"cond_stage_model.transformer.", partText, whole(clipName)},
	{"cond_stage_model.model.", partText, openCLIPWithout(lastOfViTH)},
	{"cond_stage_model.", partText, whole(clipName)},
	{"conditioner.embedders.0.transformer.", partText, whole(clipName)},
	{"conditioner.embedders.0.model.", partText, openCLIPWithout(lastOfViTH)}, // SD2-turbo
	{"conditioner.embedders.1.model.", partText2, openCLIPWithout("")},
	{"model_ema.", partUNet, whole(emaName)},
}

// Refs translates the name of a tensor in an original single file ("model.diffusion_model.input_blocks.0.0.weight").
// It is the whole mapping of names: nil where diffusers has no such tensor (schedules, position_ids, the last layer of
// SD2's text encoder), three where it holds OpenCLIP's query, key and value.
func Refs(own string) []Ref {
	for _, p := range prefixes {
		if name, ok := strings.CutPrefix(own, p.prefix); ok {
			refs := p.names(name)
			for i := range refs {
				refs[i].Part = p.part
			}
			return refs
		}
	}
	return nil
}

// whole makes a translation of names one of Refs; an empty translation is none.
func whole(translate func(string) string) func(string) []Ref {
	return func(name string) []Ref {
		if name = translate(name); name == "" {
			return nil
		}
		return []Ref{{Name: name, Of: 1}}
	}
}

// swapPrefix translates a name that begins with a key of table.
func swapPrefix(name string, table [][2]string) (string, bool) {
	for _, row := range table {
		if rest, ok := strings.CutPrefix(name, row[0]); ok {
			return row[1] + rest, true
		}
	}
	return "", false
}
