package format

import (
	"cmp"
	"fmt"
)

// familyTitles are the families in full.
var familyTitles = map[string]string{"SD1": "Stable Diffusion 1.x", "SD2": "Stable Diffusion 2.x", "SDXL": "Stable Diffusion XL"}

// notTrained names what a file is where it is no model that Easel trains; empty where it is one.
func notTrained(info Info, c *Checkpoint) string {
	if info.Kind != KindCheckpoint || info.Base != "SD1" && info.Base != "SD2" {
		return info.What()
	}
	unet := c.parts[partUNet]
	title := familyTitles[info.Base]
	switch n := inputChannels(unet); {
	case n != 4:
		return fmt.Sprintf("%s of %s, whose UNet takes %d channels instead of 4", cmp.Or(inputs[n], "a variant"), title, n)
	case c.parts[partText] == nil:
		return fmt.Sprintf("a UNet of %s without a text encoder", title)
	}
	return ""
}

// What names a file's content in a phrase.
func (info Info) What() string {
	ofBase := ""
	if title := familyTitles[info.Base]; title != "" {
		ofBase = " of " + title
	}
	switch info.Kind {
	case KindCheckpoint:
		if info.Base == refiner {
			return "the refiner of Stable Diffusion XL"
		}
		return "a checkpoint" + cmp.Or(ofBase, " of an unknown family")
	case KindUNet:
		return "the UNet alone" + ofBase
	case KindLoRA, KindEmbedding, KindHypernetwork, KindControlNet, KindVAE, KindTextEncoder, KindCaptioner, KindTagger:
		return "a " + string(info.Kind) + ofBase
	}
	if info.family != "" {
		return "a model of another family (" + info.family + ")"
	}
	return "a file of tensors whose use is not known"
}
