package lora

import (
	"strings"

	"easel/engine/format"
	"easel/engine/model"
)

// wants says whether a layer gets an inserted one: it is among the targets, and its rank is not zero.
func (t *tuning) wants(l model.Layer) bool { return t.isTarget(l) && t.ranks.of(l).rank > 0 }

// isTarget goes by the names of modules (sd-scripts networks/lora.py UNET_TARGET_REPLACE_MODULE and
// TEXT_ENCODER_TARGET_REPLACE_MODULE).
func (t *tuning) isTarget(l model.Layer) bool {
	switch l.Part {
	case model.Text:
		return t.TrainsText() && strings.Contains(l.Module, ".layers.")
	case model.UNet:
		if !strings.Contains(l.Module, "_block") { // conv_in, conv_out, time_embedding
			return false
		}
		switch t.targets {
		case "attention":
			return strings.Contains(l.Module, ".attn1.") || strings.Contains(l.Module, ".attn2.")
		case "attention+ff":
			return strings.Contains(l.Module, ".attentions.")
		}
		return true
	}
	return false
}

func kohyaName(l model.Layer) string {
	if l.Part == model.Text {
		return format.KohyaName("lora_te_", l.Module)
	}
	return format.KohyaName("lora_unet_", l.Module)
}
