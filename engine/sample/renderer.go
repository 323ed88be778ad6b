// Package sample renders pictures from prompts, and puts before/after grids together.
package sample

import (
	"context"
	"errors"
	"image"

	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/graph"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
	"easel/engine/model"
)

// Renderer renders with one model and, where Adapter is set, a fine-tuning with its present values. It keeps one
// compiled graph for each network and size.
type Renderer struct {
	Model    *model.Model
	Adapter  model.Adapter // may be nil
	Schedule *diffusion.Schedule
	Backend  kernel.Backend
	Options  graph.Options
	// Together is the most pictures that are rendered side by side; 0 is no limit.
	Together int
	// Observe, where set, sees each call of the UNet.
	Observe func(Observation)

	networks map[[5]int]*graph.Function
}

// Request says what to render.
type Request struct {
	Prompts       []string // one picture each
	Negative      string
	Sampler       string // a diffusion.SamplerInfo name
	Steps         int
	Guidance      float64  // 1 switches guidance off
	Seeds         []uint64 // of the noise, one a picture
	Width, Height int      // pixels
}

// Observation is one call of the UNet. Its tensors are the observer's to keep.
type Observation struct {
	X       *kernel.Tensor // [rows, h, w, c]
	T       float64        // timestep
	Prompts []string       // [rows]
	Context *kernel.Tensor // [rows, tokens, width]
	Out     *kernel.Tensor // prediction [rows, h, w, c]
}

// rows are the prompts that go through the UNet together: where guidance is on, the negative one for each picture
// comes before the prompts.
func (q Request) rows() []string {
	var rows []string
	if q.Guidance != 1 {
		for range q.Prompts {
			rows = append(rows, q.Negative)
		}
	}
	return append(rows, q.Prompts...)
}

// check refuses what cannot be rendered.
func (r *Renderer) check(q Request) error {
	factor := r.Model.VAE.Factor()
	step := factor << (len(r.Model.UNet.BlockOutChannels) - 1)
	switch {
	case len(q.Prompts) == 0 || len(q.Prompts) != len(q.Seeds):
		return engine.Errorf("render", "", engine.Internal, "%d prompts and %d seeds", len(q.Prompts), len(q.Seeds))
	case q.Width < factor || q.Height < factor || q.Width%factor != 0 || q.Height%factor != 0:
		return engine.Errorf("render", "", engine.BadInput, "%d x %d pixels cannot be rendered: width and height must be multiples of %d, best of %d", q.Width, q.Height, factor, step)
	case q.Width > 4096 || q.Height > 4096:
		return engine.Errorf("render", "", engine.BadInput, "%d x %d pixels are too many: 4096 is the most", q.Width, q.Height)
	}
	return nil
}

// Prepare compiles the networks that a request needs, so that mistakes in an adapter show before the work.
func (r *Renderer) Prepare(q Request) error {
	_, err := r.FLOPs(q)
	return err
}

// FLOPs is the number of floating-point operations that a request takes, in matmuls, convolutions and attention.
func (r *Renderer) FLOPs(q Request) (float64, error) {
	if err := r.check(q); err != nil {
		return 0, err
	}
	rows, f := len(q.rows()), r.Model.VAE.Factor()
	latent := []int{rows, q.Height / f, q.Width / f, r.Model.UNet.InChannels}
	text, textErr := r.text(rows)
	unet, unetErr := r.unet(latent, []int{rows, model.Tokens, r.Model.UNet.CrossAttentionDim})
	decoder, decoderErr := r.decoder(latent)
	if err := errors.Join(textErr, unetErr, decoderErr); err != nil {
		return 0, err
	}
	return text.FLOPs() + float64(q.Steps)*unet.FLOPs() + float64(len(q.Prompts))*decoder.FLOPs(), nil
}

// Render renders all prompts, as many side by side as Together allows. progress is called after each step of the sampler
// with the steps done, counted as if all pictures were rendered at once.
func (r *Renderer) Render(ctx context.Context, q Request, progress func(step int)) (pictures []*image.NRGBA, err error) {
	if err := r.check(q); err != nil {
		return nil, err
	}
	n := len(q.Prompts)
	if r.Together > 0 {
		n = min(n, r.Together)
	}
	for at := 0; at < len(q.Prompts); at += n {
		some := q
		end := min(at+n, len(q.Prompts))
		some.Prompts, some.Seeds = q.Prompts[at:end], q.Seeds[at:end]
		rendered, err := r.render(ctx, some, func(step int) { progress((at*q.Steps + (end-at)*step) / len(q.Prompts)) })
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, rendered...)
	}
	return pictures, nil
}

func (r *Renderer) render(ctx context.Context, q Request, progress func(step int)) ([]*image.NRGBA, error) {
	sampler, err := diffusion.NewSampler(q.Sampler, r.Schedule, q.Steps)
	if err != nil {
		return nil, err
	}
	rows := q.rows()
	contexts, err := r.contexts(ctx, rows)
	if err != nil {
		return nil, err
	}
	predict := func(in *kernel.Tensor, t float64) (*kernel.Tensor, error) {
		out, err := r.predict(ctx, in, t, contexts)
		if err == nil && r.Observe != nil {
			r.Observe(Observation{in, t, rows, contexts, out.Clone()})
		}
		return out, err
	}
	x := r.noise(q, 0)
	for i, v := range x.F32() {
		x.F32()[i] = float32(float64(v) * sampler.InitScale())
	}
	for i, t := range sampler.Timesteps() {
		var noise []float32
		if sampler.Stochastic() {
			noise = r.noise(q, i+1).F32()
		}
		if err := step(sampler, i, t, q.Guidance, x, len(rows), predict, noise); err != nil {
			return nil, err
		}
		progress(i + 1)
	}
	return r.decode(ctx, x)
}

// noise is the start of each picture (step 0) or what a stochastic sampler adds: a function of the picture's seed, so
// that it does not depend on which others are rendered with it.
func (r *Renderer) noise(q Request, step int) *kernel.Tensor {
	f := r.Model.VAE.Factor()
	x := kernel.New(kernel.F32, len(q.Prompts), q.Height/f, q.Width/f, r.Model.UNet.InChannels)
	n := x.Len() / len(q.Prompts)
	for i, seed := range q.Seeds {
		rng.Normal(x.F32()[i*n:(i+1)*n], seed, step, rng.Sampler)
	}
	return x
}

// step moves all pictures x one step of the sampler on. predict gets rows inputs: as many as there are pictures, or
// twice as many where guidance is on, the unguided first.
func step(s diffusion.Sampler, i int, t, guidance float64, x *kernel.Tensor, rows int, predict func(*kernel.Tensor, float64) (*kernel.Tensor, error), noise []float32) error {
	copies := rows / x.Shape[0]
	in := kernel.New(kernel.F32, append([]int{rows}, x.Shape[1:]...)...)
	for k := range copies {
		s.ScaleInput(in.F32()[k*x.Len():(k+1)*x.Len()], x.F32(), i)
	}
	prediction, err := predict(in, t)
	if err != nil {
		return err
	}
	out := prediction.F32()
	if copies == 2 {
		uncond, cond := out[:x.Len()], out[x.Len():]
		diffusion.Guide(cond, uncond, cond, guidance)
		out = cond
	}
	s.Step(i, x.F32(), out, noise)
	return nil
}

// contexts encodes prompts: [prompts, tokens, width].
func (r *Renderer) contexts(ctx context.Context, prompts []string) (*kernel.Tensor, error) {
	encode, err := r.text(len(prompts))
	if err != nil {
		return nil, err
	}
	return encode.Call(ctx, r.Model.IDs(prompts...))
}

// predict is the UNet's output for all rows at timestep t.
func (r *Renderer) predict(ctx context.Context, x *kernel.Tensor, t float64, contexts *kernel.Tensor) (*kernel.Tensor, error) {
	unet, err := r.unet(x.Shape, contexts.Shape)
	if err != nil {
		return nil, err
	}
	steps := kernel.New(kernel.F32, x.Shape[0])
	for i := range steps.F32() {
		steps.F32()[i] = float32(t)
	}
	return unet.Call(ctx, x, steps, contexts)
}

// decode turns latents into pictures, one after the other, which keeps the memory of one.
func (r *Renderer) decode(ctx context.Context, x *kernel.Tensor) ([]*image.NRGBA, error) {
	n, err := r.decoder(x.Shape)
	if err != nil {
		return nil, err
	}
	size := x.Len() / x.Shape[0]
	var pictures []*image.NRGBA
	for i := range x.Shape[0] {
		z := kernel.New(kernel.F32, append([]int{1}, x.Shape[1:]...)...)
		for k, v := range x.F32()[i*size : (i+1)*size] {
			z.F32()[k] = float32(float64(v) / r.Model.VAE.ScalingFactor)
		}
		out, err := n.Call(ctx, z)
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, toImage(out))
	}
	return pictures, nil
}

// toImage turns [1, h, w, 3] in [-1, 1] into a picture.
func toImage(t *kernel.Tensor) *image.NRGBA {
	h, w := t.Shape[1], t.Shape[2]
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	v := t.F32()
	for p := range h * w {
		for c := range 3 {
			img.Pix[4*p+c] = uint8(min(max(v[3*p+c]*127.5+128, 0), 255)) // +128: rounds to nearest
		}
		img.Pix[4*p+3] = 255
	}
	return img
}
