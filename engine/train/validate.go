package train

import (
	"context"
	"errors"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/diffusion"
	"easel/engine/graph"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
)

// Validation measures the loss of pictures that are not trained on: the plain mean square, always with the same noise at
// the same timesteps, so that two measurements differ by what was learnt in between and nothing else.
type Validation struct {
	trainer *Trainer // whose steps are not made
	batches []Batch
	graphs  map[[4]int]*stepGraph
}

// validated are the timesteps at which a picture is measured, in eighths of the schedule.
var validated = []int{1, 3, 5, 7}

// NewValidation encodes the pictures of a set.
func NewValidation(ctx context.Context, c Config, set *dataset.Set, job engine.Job) (*Validation, error) {
	c.Loss, c.Weighting = Loss{}, diffusion.Uniform{}
	job.Noise, job.Views, job.Loss = engine.Noise{}, engine.Views{}, engine.Loss{}
	job.Captions = engine.Captions{Templates: job.Captions.Templates[:min(1, len(job.Captions.Templates))]}
	data, err := NewData(ctx, c, set, job)
	if err != nil {
		return nil, err
	}
	v := &Validation{trainer: New(c), graphs: map[[4]int]*stepGraph{}}
	for i := range set.Items {
		for k, eighth := range validated {
			b, err := data.fixed(ctx, i, len(validated)*i+k, c.Schedule.Len()*eighth/8)
			if err != nil {
				return nil, err
			}
			v.batches = append(v.batches, b)
		}
	}
	return v, data.Close()
}

// fixed is a batch of one item at the middle of its latents' distribution.
func (d *Data) fixed(ctx context.Context, item, number, timestep int) (Batch, error) {
	s := d.seen[item][0].moments.Shape
	b := Batch{Latents: kernel.New(kernel.F32, 1, s[1], s[2], s[3]/2), Timesteps: []int{timestep}}
	d.sample(b.Latents.F32(), d.seen[item][0].moments)
	b.Noise = kernel.New(kernel.F32, b.Latents.Shape...)
	rng.Normal(b.Noise.F32(), d.job.Seed, number, rng.Validation)
	text := d.captions.all(d.set.Items[item].Caption)[0]
	if d.contexts == nil {
		b.IDs = d.model.IDs(text)
		return b, nil
	}
	var err error
	b.Context, err = d.contexts.of(ctx, []string{text})
	return b, err
}

// Loss is the mean loss with the present values of the parameters.
func (v *Validation) Loss(ctx context.Context) (float64, error) {
	sum := 0.0
	for _, b := range v.batches {
		g, err := v.graph([4]int(b.Latents.Shape))
		if err != nil {
			return 0, err
		}
		loss, err := g.run(ctx, v.trainer.inputs(b))
		if err != nil {
			return 0, err
		}
		sum += loss
	}
	return sum / float64(len(v.batches)), nil
}

// graph is a step's without its gradients.
func (v *Validation) graph(shape [4]int) (*stepGraph, error) {
	if s := v.graphs[shape]; s != nil {
		return s, nil
	}
	g, s := v.trainer.build(shape)
	o := v.trainer.Options
	o.Recompute = graph.KeepAll
	var err error
	if s.vm, err = graph.Compile(g, v.trainer.Backend, []*graph.Node{s.loss}, o); err != nil {
		return nil, err
	}
	v.graphs[shape] = s
	return s, nil
}

// Close frees the graphs' memory.
func (v *Validation) Close() error {
	var errs []error
	for _, g := range v.graphs {
		errs = append(errs, g.vm.Close())
	}
	return errors.Join(errs...)
}
