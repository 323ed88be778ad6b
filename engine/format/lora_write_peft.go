package format

import (
	"slices"

	"easel/engine"
	"easel/engine/kernel"
)

// WriteDiffusersLoRA writes the modules in the names of diffusers, which are peft's within a network: paths are the
// modules' paths, as "unet.mid_block.attentions.0.proj_in". These names know no alpha, so that up has its effect within.
// Errors are those of WriteLoRA.
func WriteDiffusersLoRA(path string, modules []LoRAModule, paths []string, dtype kernel.DType) error {
	if len(modules) == 0 || len(paths) != len(modules) || dtype == kernel.I32 {
		return engine.Errorf(opExport, path, engine.BadInput, "%d modules with %d paths cannot be written as %v", len(modules), len(paths), dtype)
	}
	var tensors []Named
	for i, m := range modules {
		if err := m.check(); err != nil {
			return engine.Errorf(opExport, path, engine.BadInput, "%w", err)
		}
		all := []Named{{paths[i] + ".lora_A.weight", m.Down}, {paths[i] + ".lora_B.weight", m.scaledUp()}}
		if m.Magnitude != nil {
			all = append(all, Named{paths[i] + ".lora_magnitude_vector", m.peftMagnitude()})
		}
		for _, n := range all {
			t, err := exported(path, n, dtype)
			if err != nil {
				return err
			}
			tensors = append(tensors, t)
		}
	}
	return Write(path, tensors, map[string]string{"format": "pt"})
}

// scaledUp is Alpha/rank * Up.
func (m LoRAModule) scaledUp() *kernel.Tensor {
	up := m.Up.Convert(kernel.F32)
	for i, v := 0, up.F32(); i < len(v); i++ {
		v[i] *= m.Alpha / float32(m.Rank())
	}
	return up
}

// peftMagnitude has a convolution's channels in the second place (peft/tuners/lora/dora.py, DoraConv2dLayer).
func (m LoRAModule) peftMagnitude() *kernel.Tensor {
	shape := m.Magnitude.Shape
	if len(m.Down.Shape) == 4 {
		shape = slices.Concat([]int{1}, shape, []int{1, 1})
	}
	return kernel.FromF32(m.Magnitude.F32(), shape...)
}
