package lora

import (
	"easel/engine/graph"
	"easel/engine/internal/rng"
)

// dropout leaves out, in training, parts of the inserted layers (sd-scripts networks/lora.py, LoRAModule.forward): single
// inner values, ranks for a picture, or whole layers for a step. What is left of values and ranks is scaled up, layers are
// not. kohya's optimizer does not see a layer that is left out; here its gradient is zero, so that AdamW's momentum and
// weight decay go on.
type dropout struct {
	seed                  uint64
	element, rank, module float64 // shares left out
	step                  int
	on                    bool // within a step
}

func (d *dropout) any() bool { return d.element > 0 || d.rank > 0 || d.module > 0 }

// of is the mask of a layer.
func (d *dropout) of(module string) graph.Mask { return mask{d, module} }

type mask struct {
	*dropout
	layer string
}

// Draw implements graph.Mask: a function of (seed, step, layer, element).
func (m mask) Draw(factors []float32, shape []int) bool {
	if !m.on {
		return false
	}
	if m.drops("module", m.module)(0) {
		return true // they are zero
	}
	batch, ranks := shape[0], shape[len(shape)-1]
	element, rank := m.drops("element", m.element), m.drops("rank", m.rank)
	kept := float32(1 / ((1 - m.element) * (1 - m.rank)))
	for b := range batch {
		sample := factors[b*len(factors)/batch : (b+1)*len(factors)/batch]
		for k := range ranks {
			if rank(b*ranks + k) {
				continue
			}
			for i := k; i < len(sample); i += ranks {
				if !element(b*len(sample) + i) {
					sample[i] = kept
				}
			}
		}
	}
	return true
}

// drops says of each number whether it is left out.
func (m mask) drops(what string, share float64) func(i int) bool {
	if share == 0 {
		return func(int) bool { return false }
	}
	first := hash(m.layer + " " + what)
	return func(i int) bool { return rng.Float64(m.seed, m.step, rng.Dropout, first+uint64(i)) < share }
}
