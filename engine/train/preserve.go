package train

import (
	"context"
	"slices"

	"easel/engine/internal/rng"
	"easel/engine/kernel"
	"easel/engine/sample"
)

// Keep records what the untrained model predicts while it renders prompts, at every step of the sampler and for the
// negative prompt too. Each later Batch repeats some of it, so that training on the pictures does not change other
// prompts (output preservation: prior preservation, Ruiz et al. arXiv 2208.12242, with the model's own predictions as
// targets instead of pictures). progress is called after each step of the sampler.
func (d *Data) Keep(ctx context.Context, base *sample.Renderer, q sample.Request, progress func(step int)) error {
	base.Observe = func(o sample.Observation) {
		for i, prompt := range o.Prompts {
			d.kept = append(d.kept, Kept{X: row(o.X, i), Target: row(o.Out, i), Timestep: o.T, Prompt: prompt, Context: row(o.Context, i)})
		}
	}
	defer func() { base.Observe = nil }()
	_, err := base.Render(ctx, q, progress)
	return err
}

// row is element i of the first dimension.
func row(t *kernel.Tensor, i int) *kernel.Tensor {
	n := kernel.Len(t.Shape[1:])
	return kernel.FromF32(t.F32()[i*n:(i+1)*n], t.Shape[1:]...)
}

// keptOf chooses the recorded predictions that a step repeats: as many as there are pictures in its batch, none where
// those are of another size.
func (d *Data) keptOf(step int, latents []int) []Kept {
	if len(d.kept) == 0 || !slices.Equal(d.kept[0].X.Shape, latents[1:]) {
		return nil
	}
	var kept []Kept
	for i := range d.job.Batch {
		kept = append(kept, d.kept[rng.Intn(len(d.kept), d.job.Seed, step, rng.Preserve, uint64(i))])
	}
	return kept
}
