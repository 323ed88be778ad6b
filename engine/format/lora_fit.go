package format

import (
	"fmt"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/kernel"
)

// LoRATarget is kohya's name of the module whose weight is the tensor name of a component ("unet", "text_encoder",
// "text_encoder_2"), in diffusers' names; empty where no LoRA changes it. sdxl says that the model has two text
// encoders, which kohya then numbers.
func LoRATarget(component, name string, sdxl bool) string {
	module, ok := strings.CutSuffix(name, ".weight")
	if !ok {
		return ""
	}
	switch component {
	case "unet":
		return KohyaName("lora_unet_", module)
	case "text_encoder":
		if sdxl {
			return KohyaName("lora_te1_", textModule(module))
		}
		return KohyaName("lora_te_", textModule(module))
	case "text_encoder_2":
		return KohyaName("lora_te2_", textModule(module))
	}
	return ""
}

// FitLoRA checks that a model has a weight of the right shape for each module of f. weights are the shapes of the model's
// weights by kohya's names, family is "SD1", "SD2" or "SDXL". The error, of kind BadFile, names both models.
func FitLoRA(f *File, modules []LoRAModule, weights map[string][]int, family string) error {
	fit, why := 0, ""
	for _, m := range modules {
		switch weight := weights[m.Name]; {
		case weight != nil && m.fits(weight):
			fit++
		case why != "":
		case weight == nil:
			why = "there is no layer for " + m.Name
		default:
			why = fmt.Sprintf("%s has shapes %v and %v beside a weight of %v", m.Name, m.Down.Shape, m.Up.Shape, weight)
		}
	}
	if fit == len(modules) {
		return nil
	}
	return engine.Errorf("apply LoRA", f.Path(), engine.BadFile, "it was made for another model (%s; this one is %s): %d of %d layers fit, but %s",
		LoRAOrigin(f), family, fit, len(modules), why)
}

// fits says whether the update is of the shape of a weight, [out, in] or [out, in, kh, kw]. A 1x1 convolution and a
// linear layer are the same.
func (m LoRAModule) fits(weight []int) bool {
	if len(weight) < 2 || m.Down.Shape[1] != weight[1] || m.Up.Shape[0] != weight[0] {
		return false
	}
	down, kernelSize := m.Down.Shape[2:], weight[2:]
	return slices.Equal(down, kernelSize) || kernel.Len(down) == 1 && kernel.Len(kernelSize) == 1
}
