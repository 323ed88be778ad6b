package hypernetwork

import (
	"strings"

	"easel/engine/format"
	"easel/engine/kernel"
	"easel/engine/method"
)

// exportA1111 writes A1111's .pt.
func (t *classic) exportA1111(path string, about method.About, dtype kernel.DType) error {
	var modules []format.HypernetworkModule
	for _, m := range t.order {
		modules = append(modules, m.HypernetworkModule)
	}
	meta := format.HypernetworkMeta{Name: about.Name, Steps: about.Steps, Structure: t.shape.structure, Activation: t.shape.activation,
		Init: t.shape.init, LayerNorm: t.shape.norm, Info: strings.TrimSpace(about.Job.Word + " " + about.Job.Class)}
	if meta.Init == initZero { // which A1111 does not know, and asks for in new networks only
		meta.Init = "Normal"
	}
	return format.WriteHypernetwork(path, modules, meta, dtype)
}

// exportLoRA writes the LoRA that does the same: to_k(c + M·c) is to_k(c) + (W·M)·c. Its down is the first layer, its up
// the projection's own weight times the others.
func (t *classic) exportLoRA(path string, about method.About, dtype kernel.DType) error {
	var modules []format.LoRAModule
	for _, l := range t.layers {
		m := t.of(l)
		down, rest := m.Layers[0].Weight, m.product(1)
		rank, out := down.Shape[0], l.Shape[0]
		up := multiply(l.Weight.Floats(), rest.F32(), out, m.Width, rank)
		l.Weight.LetGo()
		modules = append(modules, format.LoRAModule{Name: kohyaName(l), Down: down, Up: kernel.FromF32(up, out, rank), Alpha: float32(rank)})
	}
	return format.WriteLoRA(path, modules, about.LoRAMeta(), dtype)
}

// product multiplies the weights of the layers from the given one on: [width, its inputs]. Without any it is 1.
func (m *mlp) product(from int) *kernel.Tensor {
	if from == len(m.Layers) {
		one := kernel.New(kernel.F32, m.Width, m.Width)
		for i := range m.Width {
			one.F32()[i*m.Width+i] = 1
		}
		return one
	}
	p := m.Layers[from].Weight
	for _, l := range m.Layers[from+1:] {
		w := l.Weight
		p = kernel.FromF32(multiply(w.F32(), p.F32(), w.Shape[0], w.Shape[1], p.Shape[1]), w.Shape[0], p.Shape[1])
	}
	return p
}
