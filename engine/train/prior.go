package train

import (
	"context"
	"errors"
	"image"
	"slices"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
)

// Prior adds class pictures to batches (prior preservation): one for each picture of the subject. The two halves share
// one pass through the network, so class pictures are brought to the shapes of the subject's.
type Prior struct {
	byShape map[[2]int]*Data // height and width of latents
}

// NewPrior encodes class pictures. Each shape among the subject's pictures gets its share of them, so that many shapes
// take no longer than one.
func NewPrior(ctx context.Context, c Config, subject, class *dataset.Set, job engine.Job) (*Prior, error) {
	p := &Prior{byShape: map[[2]int]*Data{}}
	count := map[image.Point]int{}
	for _, it := range subject.Items {
		count[image.Pt(it.Width, it.Height)]++
	}
	factor := c.Model.VAE.Factor()
	job.Seed = rng.Mix(job.Seed) // the noise of the two halves has nothing in common
	job.Word, job.Captions, job.Loss, job.Views = "", engine.Captions{}, engine.Loss{}, engine.Views{}
	for shape, n := range count {
		set := &dataset.Set{}
		for i := range (len(class.Items)*n + len(subject.Items) - 1) / len(subject.Items) {
			it := class.Items[i%len(class.Items)]
			it.Width, it.Height = shape.X, shape.Y
			set.Items = append(set.Items, it)
		}
		d, err := NewData(ctx, c, set, job)
		if err != nil {
			return nil, err
		}
		p.byShape[[2]int{shape.Y / factor, shape.X / factor}] = d
	}
	return p, nil
}

// Add puts the class pictures of a batch, by its number, behind the subject's. They have no mask.
func (p *Prior) Add(ctx context.Context, b *Batch, number int) error {
	s := b.Latents.Shape
	d := p.byShape[[2]int{s[1], s[2]}]
	if d == nil {
		return engine.Errorf("make batch", "", engine.Internal, "no class pictures of %d x %d latents", s[1], s[2])
	}
	class, err := d.Batch(ctx, number)
	if err != nil {
		return err
	}
	for _, t := range []struct{ to, from **kernel.Tensor }{{&b.Latents, &class.Latents}, {&b.Noise, &class.Noise}, {&b.Added, &class.Added}, {&b.Context, &class.Context}, {&b.IDs, &class.IDs}} {
		*t.to = behind(*t.to, *t.from)
	}
	b.Timesteps = append(b.Timesteps, class.Timesteps...)
	b.Class = len(class.Timesteps)
	return nil
}

// Close frees what encodes captions during the run.
func (p *Prior) Close() error {
	var errs []error
	for _, d := range p.byShape {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}

// behind has the rows of a, then those of b; nil where both are.
func behind(a, b *kernel.Tensor) *kernel.Tensor {
	if a == nil || b == nil {
		return nil
	}
	shape := slices.Clone(a.Shape)
	shape[0] += b.Shape[0]
	t := kernel.New(a.DType, shape...)
	n := copy(t.Data, a.Data[:a.Len()*a.DType.Size()])
	copy(t.Data[n:], b.Data[:b.Len()*b.DType.Size()])
	return t
}

// rowWeight is how much row i of a batch's pictures counts, for a loss that is the sum of two means (diffusers'
// train_dreambooth): over the subject's, each weighted by its timestep, and over the class pictures, which are not.
func (t *Trainer) rowWeight(b Batch, i int) float64 {
	subject := len(b.Timesteps) - b.Class
	if i < subject {
		return t.Weighting.Weight(t.Schedule, b.Timesteps[i]) / float64(subject)
	}
	return t.Prior / float64(b.Class)
}
