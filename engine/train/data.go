package train

import (
	"context"
	"fmt"
	"math"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
	"easel/engine/model"
)

// Data makes batches of a set of pictures. Pictures are encoded once in each of their views, to the mean and variance of
// their latents; captions once too where the text encoder stays frozen and there are not too many.
type Data struct {
	set      *dataset.Set
	model    *model.Model
	job      engine.Job
	noise    noise
	captions captions
	scaling  float64
	seen     [][]seen // by item, then view
	contexts *contexts
	kept     []Kept
}

// logVarianceBounds are diffusers' (DiagonalGaussianDistribution).
const minLogVariance, maxLogVariance = -30, 20

// NewData encodes the pictures of a set, and their captions where that can be done once.
func NewData(ctx context.Context, c Config, set *dataset.Set, job engine.Job) (*Data, error) {
	d := &Data{set: set, model: c.Model, job: job, scaling: c.Model.VAE.ScalingFactor,
		noise:    noise{job.Noise, job.Seed, c.Schedule.Len()},
		captions: captions{job.Captions, job.Word, job.Class, job.Seed}}
	exact := c
	exact.Options.DType = kernel.F32 // done once: rounding would save no time and stay in all steps
	if err := d.encodePictures(ctx, exact); err != nil {
		return nil, err
	}
	if c.Tuning.TrainsText() {
		return d, nil
	}
	d.contexts = &contexts{config: exact, have: map[string]*kernel.Tensor{}}
	return d, d.contexts.encodeAll(ctx, Prompts(set, job))
}

// Batch makes the batch of a number, counted from 0.
func (d *Data) Batch(ctx context.Context, number int) (Batch, error) {
	items := d.set.Batch(d.job.Seed, number, d.job.Batch)
	if len(items) == 0 {
		return Batch{}, engine.Errorf("make batch", "", engine.BadInput, "no pictures, or a batch size of %d", d.job.Batch)
	}
	s := d.seen[items[0]][0].moments.Shape
	b := Batch{Latents: kernel.New(kernel.F32, len(items), s[1], s[2], s[3]/2)}
	rng.Normal(b.Latents.F32(), d.job.Seed, number, rng.Latent)
	n := b.Latents.Len() / len(items)
	var texts []string
	for i, item := range items {
		view := d.seen[item][rng.Intn(len(d.seen[item]), d.job.Seed, number, rng.View, uint64(i))]
		d.sample(b.Latents.F32()[i*n:(i+1)*n], view.moments)
		b.mask(i, view.mask)
		b.Timesteps = append(b.Timesteps, d.noise.timestep(number, i))
		texts = append(texts, d.captions.text(d.set.Items[item].Caption, number, i))
	}
	d.noise.fill(&b, number)
	b.Kept = d.keptOf(number, b.Latents.Shape)
	if d.contexts == nil {
		b.IDs = d.model.IDs(texts...)
		return b, nil
	}
	var err error
	b.Context, err = d.contexts.of(ctx, texts)
	return b, err
}

// sample turns normal numbers in x into a latent: scaling · (mean + √variance · x).
func (d *Data) sample(x []float32, moments *kernel.Tensor) {
	c := moments.Channels() / 2
	m := moments.F32()
	for i := range x {
		p, k := i/c, i%c
		logvar := min(max(float64(m[p*2*c+c+k]), minLogVariance), maxLogVariance)
		x[i] = float32(d.scaling * (float64(m[p*2*c+k]) + math.Exp(0.5*logvar)*float64(x[i])))
	}
}

// Close frees what encodes captions during the run.
func (d *Data) Close() error {
	if d.contexts == nil {
		return nil
	}
	return d.contexts.close()
}

// Encoded says what was encoded once, in words.
func (d *Data) Encoded() string {
	views := 0
	for _, s := range d.seen {
		views += len(s)
	}
	text := fmt.Sprintf("%d pictures", len(d.seen))
	if views > len(d.seen) {
		text += fmt.Sprintf(" in %d views", views)
	}
	switch {
	case d.contexts == nil || len(d.contexts.have) == 0:
		return text + " encoded once; prompts are encoded in each step"
	case len(d.contexts.have) == 1:
		return text + " and 1 prompt encoded once"
	}
	return text + fmt.Sprintf(" and %d prompts encoded once", len(d.contexts.have))
}
