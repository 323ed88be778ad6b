package lora

import (
	"maps"
	"slices"

	"easel/engine/format"
	"easel/engine/kernel"
	"easel/engine/model"
)

// file is a LoRA file in memory, known to fit a model.
type file struct {
	path    string
	modules map[string]format.LoRAModule // F32, frozen
}

// read reads a LoRA for m. Where the file was made for another model, the error says for which, of kind BadFile.
func read(m *model.Model, path string) (*file, error) {
	f, err := format.OpenLoRA(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	modules, err := format.ReadLoRA(f)
	if err != nil {
		return nil, err
	}
	layers, err := m.Layers()
	if err != nil {
		return nil, err
	}
	weights := map[string][]int{}
	for _, l := range layers {
		weights[kohyaName(l)] = l.Shape
	}
	if err := format.FitLoRA(f, modules, weights, m.Family()); err != nil {
		return nil, err
	}
	r := &file{path: path, modules: map[string]format.LoRAModule{}}
	for _, m := range modules {
		m.Down, m.Up = frozen(m.Down), frozen(m.Up) // the file will be closed
		if m.Magnitude != nil {
			m.Magnitude = frozen(m.Magnitude)
		}
		r.modules[m.Name] = m
	}
	return r, nil
}

func frozen(t *kernel.Tensor) *kernel.Tensor {
	c := t.Convert(kernel.F32)
	c.Frozen = true
	return c
}

// names lists the modules, sorted.
func (f *file) names() []string { return slices.Sorted(maps.Keys(f.modules)) }
