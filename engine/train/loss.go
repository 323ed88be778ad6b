package train

import (
	"easel/engine/diffusion"
	"easel/engine/graph"
	"easel/engine/kernel"
)

// Loss is what a step makes small.
type Loss struct {
	Kind   kernel.LossKind
	C      diffusion.HuberC // of the Huber losses
	Masked bool             // the loss is multiplied by Batch.Mask
}

// node adds the loss of pred, and the inputs that it needs, to a graph for batches of a shape [rows, h, w, c].
func (l Loss) node(g *graph.Graph, s *stepGraph, pred *graph.Node, shape [4]int) *graph.Node {
	s.weight = g.Input("weight", shape[0])
	if l.Masked {
		s.weight = g.Input("weights", shape[:]...)
	}
	if l.Kind != kernel.MSE {
		s.c = g.Input("huber c", shape[0])
	}
	return g.Loss(pred, s.target, s.weight, s.c, l.Kind)
}

// complete turns the weights of rows into those of elements where a mask counts, and adds the Huber parameters.
func (t *Trainer) complete(in *inputs, b Batch) {
	rows := in.x.Shape[0]
	if t.Loss.Kind != kernel.MSE {
		in.c = kernel.New(kernel.F32, rows)
		for i, step := range in.timesteps.F32() {
			in.c.F32()[i] = float32(t.Loss.C.At(t.Schedule, int(step)))
		}
	}
	if !t.Loss.Masked {
		return
	}
	each := kernel.New(kernel.F32, in.x.Shape...)
	channels := in.x.Channels()
	for i := range rows {
		for k, to := 0, rowOf(each, i); k < len(to); k++ {
			to[k] = in.weight.F32()[i]
			if b.Mask != nil && i < b.Mask.Shape[0] { // what is kept has none
				to[k] *= rowOf(b.Mask, i)[k/channels]
			}
		}
	}
	in.weight = each
}

// mask sets the mask of a row.
func (b *Batch) mask(row int, mask []float32) {
	if mask == nil {
		return
	}
	if b.Mask == nil {
		b.Mask = kernel.New(kernel.F32, b.Latents.Shape[:3]...)
	}
	copy(rowOf(b.Mask, row), mask)
}
