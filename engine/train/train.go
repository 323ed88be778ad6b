// Package train turns pictures into trained parameters. A Trainer makes one step from a batch; Data makes the batch
// of a step; Loop runs steps and calls hooks. None of them knows a viewer or a file except for checkpoints.
//
// Everything random is a function of (seed, step), so a run that goes on from a checkpoint equals an uninterrupted
// one bit for bit.
package train

import (
	"context"
	"errors"
	"math"

	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
	"easel/engine/optim"
)

// Config is what a Trainer works with.
type Config struct {
	Model     *model.Model
	Tuning    method.Tuning
	Backend   kernel.Backend
	Schedule  *diffusion.Schedule // of the noise
	Weighting diffusion.Weighting // of timesteps in the loss
	Optimizer optim.Optimizer
	Rate      *optim.RateSchedule
	Steps     int     // of the whole run, for the rate's schedule
	Preserve  float64 // weight of Batch.Kept beside the pictures: the loss is mean(pictures) + Preserve·mean(kept)
	ClipNorm  float64 // largest global gradient norm; 0 is off
	Options   graph.Options
}

// Trainer makes training steps. It keeps one compiled graph for each shape of batch.
type Trainer struct {
	Config
	graphs map[[4]int]*stepGraph
	last   *stepGraph // that was asked for
	params []optim.Param
}

// New returns a Trainer.
func New(c Config) *Trainer { return &Trainer{Config: c, graphs: map[[4]int]*stepGraph{}} }

// Batch is the input of one step.
type Batch struct {
	Latents   *kernel.Tensor // x0 [batch, h, w, c], scaled
	Noise     *kernel.Tensor // ε, of the same shape
	Timesteps []int          // [batch]
	Context   *kernel.Tensor // [batch, tokens, width]; nil where the text encoder is trained
	IDs       *kernel.Tensor // I32 [batch, tokens]; read where the text encoder is trained
	// Kept are further rows, of the same size, on which the model is held to what it predicted before training.
	Kept []Kept
}

// Kept is one prediction of the untrained model.
type Kept struct {
	X, Target *kernel.Tensor // noised latent and prediction [h, w, c]
	Timestep  float64
	Prompt    string
	Context   *kernel.Tensor // [tokens, width]
}

// Result is what a step measured.
type Result struct {
	Loss     float64
	GradNorm float64 // before clipping
	Rate     float64 // learning rate
}

// Prepare compiles the graph for batches of size pictures of height x width latents, and so makes the method's
// parameters known.
func (t *Trainer) Prepare(size, height, width int) error {
	_, err := t.graph([4]int{size, height, width, t.Model.UNet.InChannels})
	return err
}

// Step makes training step number step, counted from 0. When ctx is cancelled before the gradients are there, nothing
// has changed. A loss or gradient that is not finite is an error of kind NaN, and nothing has changed either.
func (t *Trainer) Step(ctx context.Context, step int, b Batch) (Result, error) {
	s := b.Latents.Shape
	g, err := t.graph([4]int{s[0] + len(b.Kept), s[1], s[2], s[3]})
	if err != nil {
		return Result{}, err
	}
	t.Tuning.BeforeStep(step)
	defer t.Tuning.AfterStep(step)
	loss, err := g.run(ctx, t.inputs(b))
	if err != nil {
		return Result{}, err
	}
	g.bindGradients(t.params)
	norm, err := optim.GradNorm(t.Backend, t.params)
	if err != nil {
		return Result{}, err
	}
	if math.IsNaN(loss+norm) || math.IsInf(loss+norm, 0) {
		return Result{}, engine.Errorf("train", "", engine.NaN, "step %d gave a loss of %g and a gradient of %g; a lower learning rate may help", step+1, loss, norm)
	}
	scale := float32(1)
	if t.ClipNorm > 0 {
		scale = optim.ClipScale(norm, t.ClipNorm)
	}
	rate := t.Rate.At(step, t.Steps)
	return Result{loss, norm, rate}, t.Optimizer.Step(t.Backend, t.params, rate, scale)
}

// inputs computes x_t, the target and the loss weights of a batch: rows for the pictures, then for what is kept.
func (t *Trainer) inputs(b Batch) inputs {
	size, kept := b.Latents.Shape[0], len(b.Kept)
	rows := size + kept
	shape := append([]int{rows}, b.Latents.Shape[1:]...)
	in := inputs{x: kernel.New(kernel.F32, shape...), target: kernel.New(kernel.F32, shape...),
		timesteps: kernel.New(kernel.F32, rows), weight: kernel.New(kernel.F32, rows)}
	n := b.Latents.Len() / size
	row := func(v *kernel.Tensor, i int) []float32 { return v.F32()[i*n : (i+1)*n] }
	for i, step := range b.Timesteps {
		x0, eps := row(b.Latents, i), row(b.Noise, i)
		t.Schedule.AddNoise(row(in.x, i), x0, eps, step)
		t.Schedule.Target(row(in.target, i), x0, eps, step)
		in.timesteps.F32()[i] = float32(step)
		// The loss is the mean over all rows: these factors make it the sum of two means.
		in.weight.F32()[i] = float32(t.Weighting.Weight(t.Schedule, step) * float64(rows) / float64(size))
	}
	for k, kept := range b.Kept {
		copy(row(in.x, size+k), kept.X.F32())
		copy(row(in.target, size+k), kept.Target.F32())
		in.timesteps.F32()[size+k] = float32(kept.Timestep)
		in.weight.F32()[size+k] = float32(t.Preserve * float64(rows) / float64(len(b.Kept)))
	}
	if t.Tuning.TrainsText() {
		in.ids = t.promptIDs(b)
	} else {
		in.context = contexts(b)
	}
	return in
}

// contexts puts the pictures' contexts and the kept ones together.
func contexts(b Batch) *kernel.Tensor {
	all := b.Context.Floats()
	for _, k := range b.Kept {
		all = append(all, k.Context.F32()...)
	}
	s := b.Context.Shape
	return kernel.FromF32(all, s[0]+len(b.Kept), s[1], s[2])
}

// promptIDs puts the pictures' token ids and those of the kept prompts together.
func (t *Trainer) promptIDs(b Batch) *kernel.Tensor {
	if len(b.Kept) == 0 {
		return b.IDs
	}
	var prompts []string
	for _, k := range b.Kept {
		prompts = append(prompts, k.Prompt)
	}
	kept := t.Model.IDs(prompts...)
	all := kernel.New(kernel.I32, b.IDs.Shape[0]+kept.Shape[0], b.IDs.Shape[1])
	copy(all.I32()[copy(all.I32(), b.IDs.I32()):], kept.I32())
	return all
}

// Params are the trained parameters, after Prepare.
func (t *Trainer) Params() []optim.Param { return t.params }

// VM runs the steps of the shape that was last prepared or trained; for its profile and operation count.
func (t *Trainer) VM() *graph.VM { return t.last.vm }

// Close frees the graphs' memory.
func (t *Trainer) Close() error {
	var errs []error
	for _, g := range t.graphs {
		errs = append(errs, g.vm.Close())
	}
	return errors.Join(errs...)
}
