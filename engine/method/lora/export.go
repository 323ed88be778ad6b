package lora

import (
	"easel/engine/format"
	"easel/engine/kernel"
	"easel/engine/method"
)

// The forms of file.
const (
	kohyaForm     = "kohya"
	diffusersForm = "diffusers"
)

// Export implements method.Tuning.
func (t *tuning) Export(path, form string, about method.About, dtype kernel.DType) error {
	var modules []format.LoRAModule
	var paths []string
	for _, l := range t.order {
		modules = append(modules, format.LoRAModule{Name: l.module, Down: l.down, Up: l.up, Alpha: l.alpha, Magnitude: l.magnitude})
		paths = append(paths, string(l.Part)+"."+l.Module)
	}
	if form == diffusersForm {
		return format.WriteDiffusersLoRA(path, modules, paths, dtype)
	}
	return format.WriteLoRA(path, modules, t.metadata(about), dtype)
}

// metadata is what kohya's trainer would write about the run.
func (t *tuning) metadata(about method.About) format.LoRAMeta {
	meta := about.LoRAMeta()
	if t.TrainsText() {
		meta.TextRate = about.Job.Rate * t.rates.text
	}
	return meta
}
