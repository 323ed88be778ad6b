package format

import "strings"

// emaWords are the parts of the UNet's names, each before those that it begins with.
var emaWords = []string{
	"input_blocks", "middle_block", "output_blocks", "time_embed", "label_emb",
	"in_layers", "out_layers", "emb_layers", "skip_connection", "op", "out", "conv",
	"proj_in", "proj_out", "proj", "transformer_blocks", "attn1", "attn2", "to_q", "to_k", "to_v", "to_out",
	"norm1", "norm2", "norm3", "norm", "ff", "net", "weight", "bias",
}

// IsAverage says that a tensor of an original file belongs to the trainer's moving averages.
func IsAverage(own string) bool { return strings.HasPrefix(own, "model_ema.") }

// emaName translates a name below "model_ema.": the trainer's moving averages, whose names have lost their dots
// ("diffusion_modelinput_blocks110in_layers0weight"; ldm/modules/ema.py). Empty for its counters and what is unknown.
func emaName(name string) string {
	rest, ok := strings.CutPrefix(name, "diffusion_model")
	if !ok {
		return ""
	}
	var parts []string
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits > 0 {
			parts = append(parts, emaNumbers(parts, rest[:digits])...)
			rest = rest[digits:]
			continue
		}
		word := emaWord(rest)
		if word == "" {
			return ""
		}
		parts = append(parts, word)
		rest = rest[len(word):]
	}
	return unetName(strings.Join(parts, "."))
}

func emaWord(text string) string {
	for _, word := range emaWords {
		if strings.HasPrefix(text, word) {
			return word
		}
	}
	return ""
}

// emaNumbers splits a row of digits: after the name of a block it is the block's number and one digit for the place
// in it, after label_emb two of one digit, else one number.
func emaNumbers(before []string, digits string) []string {
	last := ""
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	switch last {
	case "input_blocks", "output_blocks", "label_emb":
		n := len(digits) - 1
		return []string{digits[:n], digits[n:]}
	}
	return []string{digits}
}
