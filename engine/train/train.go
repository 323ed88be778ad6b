// Package train turns pictures into trained parameters. A Trainer makes one step from a batch; Data makes the batch
// of a step; Loop runs steps and calls hooks. None of them knows a viewer or a file except for checkpoints.
//
// Everything random is a function of (seed, step), so a run that goes on from a checkpoint equals an uninterrupted
// one bit for bit.
package train

import (
	"context"
	"errors"

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
	Loss      Loss
	Weighting diffusion.Weighting // of timesteps in the loss
	Optimizer optim.Optimizer
	Rate      *optim.RateSchedule
	Steps     int        // of the whole run, for the rate's schedule
	Prior     float64    // weight of Batch.Class: the loss is mean(pictures) + Prior·mean(class pictures)
	Preserve  float64    // weight of Batch.Kept beside the pictures: the loss is mean(pictures) + Preserve·mean(kept)
	ClipNorm  float64    // largest global gradient norm; 0 is off
	Average   *optim.EMA // what the parameters hold between steps; nil is their own values
	InPass    bool       // changes each parameter as soon as its gradient is there, so that gradients never all live at once
	Options   graph.Options
}

// Trainer makes training steps. It keeps one compiled graph for each shape of batch.
type Trainer struct {
	Config
	graphs   map[graphKey]*stepGraph
	last     *stepGraph // that was asked for
	params   []optim.Param
	until    []int            // of the parameters: step from which on each stays as it is; 0 is never
	live     []optim.Param    // that this step changes
	sums     []*kernel.Tensor // of the live parameters' gradients, where a step has several batches
	lastNorm float64          // of the gradients, of the last step within a pass
}

// graphKey tells compiled graphs apart: the shape of a batch [rows, h, w, c], and how many parameters change. As time goes
// on they only become fewer.
type graphKey struct {
	shape [4]int
	live  int
}

// New returns a Trainer.
func New(c Config) *Trainer { return &Trainer{Config: c, graphs: map[graphKey]*stepGraph{}} }

// Batch is the input of one step.
type Batch struct {
	Latents   *kernel.Tensor // x0 [batch, h, w, c], scaled
	Noise     *kernel.Tensor // ε, of the same shape
	Added     *kernel.Tensor // what makes x_t of x0 where it is not ε; nil where it is
	Mask      *kernel.Tensor // [batch, h, w], how much each place counts in a masked loss; nil is everything
	Timesteps []int          // [batch]
	Context   *kernel.Tensor // [batch, tokens, width]; nil where the text encoder is trained
	IDs       *kernel.Tensor // I32 [batch, tokens]; read where the text encoder is trained
	Class     int            // how many of the rows, the last ones, are class pictures
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

// Step makes training step number step, counted from 0, by the mean gradient of its batches. When ctx is cancelled before
// the gradients are there, nothing has changed. A loss or gradient that is not finite is an error of kind NaN, and nothing
// has changed either, unless with InPass the error says so.
func (t *Trainer) Step(ctx context.Context, step int, batches ...Batch) (r Result, err error) {
	t.goOn(step)
	graphs, err := t.graphsFor(batches)
	if err != nil {
		return r, err
	}
	if err := t.swapAverage(); err != nil {
		return r, err
	}
	if r, err = t.change(ctx, step, graphs, batches); err == nil {
		return r, t.average()
	}
	if failed := t.swapAverage(); failed != nil {
		return r, failed
	}
	return r, err
}

// change makes the step on the parameters' own values.
func (t *Trainer) change(ctx context.Context, step int, graphs []*stepGraph, batches []Batch) (Result, error) {
	t.Tuning.BeforeStep(step)
	defer t.Tuning.AfterStep(step)
	if t.InPass {
		return t.stepInPass(ctx, step, graphs, batches)
	}
	return t.step(ctx, step, graphs, batches)
}

// step waits for all gradients before it changes a parameter.
func (t *Trainer) step(ctx context.Context, step int, graphs []*stepGraph, batches []Batch) (Result, error) {
	loss, err := t.gradients(ctx, graphs, batches)
	if err != nil {
		return Result{}, err
	}
	norm, err := optim.GradNorm(t.Backend, t.live)
	if err != nil {
		return Result{}, err
	}
	mean := 1 / float64(len(batches)) // the parameters have the sum
	norm *= mean
	if err := finite(step, loss, norm, false); err != nil {
		return Result{}, err
	}
	scale := float32(mean)
	if t.ClipNorm > 0 {
		scale *= optim.ClipScale(norm, t.ClipNorm)
	}
	rate := t.Rate.At(step, t.Steps)
	return Result{loss, norm, rate}, t.Optimizer.Step(t.Backend, t.live, rate, scale)
}

// inputs computes x_t, the target and the loss weights of a batch: rows for the pictures, then for what is kept.
func (t *Trainer) inputs(b Batch) inputs {
	size, kept := b.Latents.Shape[0], len(b.Kept)
	rows := size + kept
	shape := append([]int{rows}, b.Latents.Shape[1:]...)
	in := inputs{x: kernel.New(kernel.F32, shape...), target: kernel.New(kernel.F32, shape...),
		timesteps: kernel.New(kernel.F32, rows), weight: kernel.New(kernel.F32, rows)}
	added := b.Added
	if added == nil {
		added = b.Noise
	}
	for i, step := range b.Timesteps {
		x0, eps := rowOf(b.Latents, i), rowOf(b.Noise, i)
		t.Schedule.AddNoise(rowOf(in.x, i), x0, rowOf(added, i), step)
		t.Schedule.Target(rowOf(in.target, i), x0, eps, step)
		in.timesteps.F32()[i] = float32(step)
		in.weight.F32()[i] = float32(t.rowWeight(b, i) * float64(rows))
	}
	for k, kept := range b.Kept {
		copy(rowOf(in.x, size+k), kept.X.F32())
		copy(rowOf(in.target, size+k), kept.Target.F32())
		in.timesteps.F32()[size+k] = float32(kept.Timestep)
		in.weight.F32()[size+k] = float32(t.Preserve * float64(rows) / float64(len(b.Kept)))
	}
	t.complete(&in, b)
	if t.Tuning.TrainsText() {
		in.ids = t.promptIDs(b)
	} else {
		in.context = contextRows(b)
	}
	return in
}

// contextRows puts the pictures' contexts and the kept ones together.
func contextRows(b Batch) *kernel.Tensor {
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
