package dreambooth

import (
	"fmt"
	"math"
	"strings"

	"easel/engine/format"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
)

// exportLoRA writes the change of the weights as a LoRA: of each layer the nearest matrix of the rank, by its singular
// value decomposition, as sd-scripts' extract_lora_from_models does. What a LoRA has no layers for is lost: norms, biases,
// embeddings and the layers outside the UNet's blocks.
func (t *tuning) exportLoRA(path string, about method.About, dtype kernel.DType) error {
	var modules []format.LoRAModule
	var all, held float64 // squares
	for _, w := range t.order {
		before, after, err := t.values(w)
		if err != nil {
			return err
		}
		change := after
		for i, v := range before {
			change[i] -= v
			all += float64(change[i]) * float64(change[i])
		}
		if shape := w.value.Shape; w.isLayer() {
			p := factor(change, shape[0], len(change)/shape[0], t.rank)
			held += p.held
			modules = append(modules, p.module(format.LoRATarget(string(w.part), w.name, false), shape))
		}
	}
	lost := 0.0
	if all > 0 {
		lost = math.Sqrt(max(0, 1-held/all))
	}
	t.remark = fmt.Sprintf("rank %d holds the change of the weights with a relative error of %.3g", t.rank, lost)
	meta := about.LoRAMeta()
	meta.Comment = "made with Easel from a DreamBooth: " + t.remark
	return format.WriteLoRA(path, modules, meta, dtype)
}

// isLayer says whether a LoRA can have a layer beside the weight (sd-scripts networks/lora.py, with convolutions).
func (w *weight) isLayer() bool {
	if !strings.HasSuffix(w.name, ".weight") || len(w.value.Shape) < 2 {
		return false
	}
	places := []string{".attentions.", ".resnets.", ".downsamplers.", ".upsamplers."}
	if w.part == model.Text {
		places = []string{".layers."}
	}
	for _, place := range places {
		if strings.Contains(w.name, place) {
			return true
		}
	}
	return false
}

// module is the pair as a LoRA's, for a weight of a shape: down takes the weight's place, up is pointwise.
func (p *pair) module(name string, shape []int) format.LoRAModule {
	up := []int{shape[0], p.rank}
	for range shape[2:] {
		up = append(up, 1)
	}
	return format.LoRAModule{Name: name, Alpha: float32(p.rank), Down: kernel.FromF32(p.down, append([]int{p.rank}, shape[1:]...)...), Up: kernel.FromF32(p.up, up...)}
}
