package train

import (
	"context"
	"fmt"
	"math"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/graph"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
	"easel/engine/model"
)

// Data makes batches of a set of pictures. Pictures are encoded once, to the mean and variance of their latents;
// captions once too where the text encoder stays frozen.
type Data struct {
	set       *dataset.Set
	model     *model.Model
	seed      uint64
	size      int // of a batch
	timesteps int // of the noise schedule
	scaling   float64
	moments   []*kernel.Tensor          // by item: [1, h, w, 2·c], mean then log variance
	contexts  map[string]*kernel.Tensor // by caption: [1, tokens, width]; nil where the text encoder is trained
	kept      []Kept
}

// logVarianceBounds are diffusers' (DiagonalGaussianDistribution).
const minLogVariance, maxLogVariance = -30, 20

// NewData encodes the pictures of a set, and their captions unless the text encoder is trained.
func NewData(ctx context.Context, c Config, set *dataset.Set, seed uint64, batch int) (*Data, error) {
	c.Options.DType = kernel.F32 // done once: rounding would save no time and stay in all steps
	d := &Data{set: set, model: c.Model, seed: seed, size: batch, timesteps: c.Schedule.Len(), scaling: c.Model.VAE.ScalingFactor}
	if err := d.encodePictures(ctx, c); err != nil {
		return nil, err
	}
	if c.Tuning.TrainsText() {
		return d, nil
	}
	d.contexts = map[string]*kernel.Tensor{}
	return d, d.encodeCaptions(ctx, c)
}

func (d *Data) encodePictures(ctx context.Context, c Config) error {
	encoders := map[[2]int]*graph.Function{}
	defer closeAll(encoders)
	for _, it := range d.set.Items {
		e, err := encoderFor(encoders, c, it.Height, it.Width)
		if err != nil {
			return err
		}
		pixels, err := it.Pixels()
		if err != nil {
			return err
		}
		out, err := e.Call(ctx, kernel.FromF32(pixels, 1, it.Height, it.Width, 3))
		if err != nil {
			return fmt.Errorf("encode %s: %w", it.Path, err)
		}
		d.moments = append(d.moments, out)
	}
	return nil
}

func (d *Data) encodeCaptions(ctx context.Context, c Config) error {
	g := graph.New()
	ids := g.Indices("ids", 1, model.Tokens)
	encode, err := graph.NewFunction(g, c.Backend, []*graph.Node{ids}, c.Model.BuildText(g, c.Tuning, ids, 1), c.Options)
	if err != nil {
		return err
	}
	defer encode.Close()
	for _, it := range d.set.Items {
		if d.contexts[it.Caption] != nil {
			continue
		}
		if d.contexts[it.Caption], err = encode.Call(ctx, c.Model.IDs(it.Caption)); err != nil {
			return err
		}
	}
	return nil
}

// Batch makes the batch of a step, counted from 0.
func (d *Data) Batch(step int) (Batch, error) {
	items := d.set.Batch(d.seed, step, d.size)
	if len(items) == 0 {
		return Batch{}, engine.Errorf("make batch", "", engine.BadInput, "no pictures, or a batch size of %d", d.size)
	}
	s := d.moments[items[0]].Shape
	b := Batch{Latents: kernel.New(kernel.F32, len(items), s[1], s[2], s[3]/2)}
	b.Noise = kernel.New(kernel.F32, b.Latents.Shape...)
	rng.Normal(b.Latents.F32(), d.seed, step, rng.Latent)
	rng.Normal(b.Noise.F32(), d.seed, step, rng.Noise)
	n := b.Latents.Len() / len(items)
	for i, item := range items {
		d.sample(b.Latents.F32()[i*n:(i+1)*n], d.moments[item])
		b.Timesteps = append(b.Timesteps, rng.Intn(d.timesteps, d.seed, step, rng.Timestep, uint64(i)))
	}
	if b.Context = d.context(items); b.Context == nil {
		b.IDs = d.ids(items)
	}
	b.Kept = d.keptOf(step, b.Latents.Shape)
	return b, nil
}

// ids are the captions' token ids.
func (d *Data) ids(items []int) *kernel.Tensor {
	var captions []string
	for _, i := range items {
		captions = append(captions, d.set.Items[i].Caption)
	}
	return d.model.IDs(captions...)
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

// context puts the captions' contexts together; nil where the text encoder is trained.
func (d *Data) context(items []int) *kernel.Tensor {
	if d.contexts == nil {
		return nil
	}
	var all []float32
	var s []int
	for _, i := range items {
		t := d.contexts[d.set.Items[i].Caption]
		s = t.Shape
		all = append(all, t.F32()...)
	}
	return kernel.FromF32(all, len(items), s[1], s[2])
}

func encoderFor(have map[[2]int]*graph.Function, c Config, height, width int) (*graph.Function, error) {
	size := [2]int{height, width}
	if have[size] != nil {
		return have[size], nil
	}
	g := graph.New()
	image := g.Input("image", 1, height, width, 3)
	f, err := graph.NewFunction(g, c.Backend, []*graph.Node{image}, c.Model.BuildEncoder(g, image), c.Options)
	if err == nil {
		have[size] = f
	}
	return f, err
}

func closeAll(functions map[[2]int]*graph.Function) {
	for _, f := range functions {
		f.Close()
	}
}
