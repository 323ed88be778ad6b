package train

import (
	"context"

	"easel/engine"
	"easel/engine/kernel"
)

// gradients runs batches and points the parameters to the sum of their gradients; loss is the batches' mean. Batches
// may be of different shapes.
func (t *Trainer) gradients(ctx context.Context, batches []Batch) (loss float64, err error) {
	if len(batches) == 0 {
		return 0, engine.Errorf("train", "", engine.Internal, "a step without a batch")
	}
	for i, b := range batches {
		s := b.Latents.Shape
		g, err := t.graph([4]int{s[0] + len(b.Kept), s[1], s[2], s[3]})
		if err != nil {
			return 0, err
		}
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
