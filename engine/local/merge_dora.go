package local

import (
	"math"

	"easel/engine/format"
	"easel/engine/kernel"
)

// resize merges a DoRA: w += weight·(magnitude·(w + ΔW)/‖own + ΔW‖ - w) with ΔW = alpha/rank·up·down and the norm over the
// weights of each output. own is the weight of the model itself, which w is too unless other LoRAs were merged before.
func (m *merger) resize(w, own *kernel.Tensor, l format.LoRAModule, weight float32) error {
	own, changed := own.Convert(kernel.F32), w.Clone()
	for _, t := range []*kernel.Tensor{own, changed} {
		if err := m.add(t, l, 1); err != nil {
			return err
		}
	}
	n := w.Len() / w.Shape[0]
	for o, magnitude := range l.Magnitude.F32() {
		square := 0.0
		for _, v := range own.F32()[o*n : (o+1)*n] {
			square += float64(v) * float64(v)
		}
		by, from := magnitude/float32(math.Sqrt(square)), changed.F32()[o*n:]
		for i, row := 0, w.F32()[o*n:(o+1)*n]; i < n; i++ {
			row[i] += weight * (by*from[i] - row[i])
		}
	}
	return nil
}
