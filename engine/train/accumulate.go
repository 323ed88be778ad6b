package train

import (
	"context"

	"easel/engine"
	"easel/engine/kernel"
)

// graphsFor are the graphs of batches, which may be of different shapes.
func (t *Trainer) graphsFor(batches []Batch) ([]*stepGraph, error) {
	if len(batches) == 0 {
		return nil, engine.Errorf("train", "", engine.Internal, "a step without a batch")
	}
	var graphs []*stepGraph
	for _, b := range batches {
		s := b.Latents.Shape
		g, err := t.graph([4]int{s[0] + len(b.Kept), s[1], s[2], s[3]})
		if err != nil {
			return nil, err
		}
		graphs = append(graphs, g)
	}
	return graphs, nil
}

// gradients runs batches and points the parameters to the sum of their gradients; loss is the batches' mean.
func (t *Trainer) gradients(ctx context.Context, graphs []*stepGraph, batches []Batch) (loss float64, err error) {
	for i, b := range batches {
		g := graphs[i]
		one, err := g.run(ctx, t.inputs(b))
		if err != nil {
			return 0, err
		}
		loss += one / float64(len(batches))
		g.bindGradients(t.live)
		if len(batches) > 1 {
			if err := t.accumulate(i == 0); err != nil {
				return 0, err
			}
		}
	}
	return loss, nil
}

// accumulate takes the gradients of a run into sums, because the next run overwrites them, and points the parameters
// there.
func (t *Trainer) accumulate(first bool) error {
	for i := range t.live {
		p := &t.live[i]
		if len(t.sums) == i {
			t.sums = append(t.sums, kernel.New(kernel.F32, p.Grad.Shape...))
		}
		sum := t.sums[i]
		if first {
			copy(sum.F32(), p.Grad.F32())
		} else if err := t.Backend.Add(sum, sum, p.Grad, 1); err != nil {
			return err
		}
		p.Grad = sum
	}
	return nil
}
