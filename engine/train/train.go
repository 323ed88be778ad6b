// Package train turns pictures into trained parameters. A Trainer makes one step from a batch; Data makes the batch
// of a step; Loop runs steps and calls hooks. None of them knows a viewer or a file except for checkpoints.
//
// Everything random is a function of (seed, step), so a run that goes on from a checkpoint equals an uninterrupted
// one bit for bit.
package train

import (
	"context"
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
	ClipNorm  float64 // largest global gradient norm; 0 is off
	Options   graph.Options
}

// Trainer makes training steps. It keeps one compiled graph for each shape of batch.
type Trainer struct {
	Config
	graphs map[[4]int]*stepGraph
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
	g, err := t.graph([4]int{s[0], s[1], s[2], s[3]})
	if err != nil {
		return Result{}, err
	}
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

// inputs computes x_t, the target and the loss weights of a batch.
func (t *Trainer) inputs(b Batch) inputs {
	size := b.Latents.Shape[0]
	in := inputs{context: b.Context, ids: b.IDs,
		x: kernel.New(kernel.F32, b.Latents.Shape...), target: kernel.New(kernel.F32, b.Latents.Shape...),
		timesteps: kernel.New(kernel.F32, size), weight: kernel.New(kernel.F32, size)}
	n := b.Latents.Len() / size
	for i, step := range b.Timesteps {
		x0, eps := b.Latents.F32()[i*n:(i+1)*n], b.Noise.F32()[i*n:(i+1)*n]
		t.Schedule.AddNoise(in.x.F32()[i*n:(i+1)*n], x0, eps, step)
		t.Schedule.Target(in.target.F32()[i*n:(i+1)*n], x0, eps, step)
		in.timesteps.F32()[i] = float32(step)
		in.weight.F32()[i] = float32(t.Weighting.Weight(t.Schedule, step))
	}
	return in
}

// Params are the trained parameters, after Prepare.
func (t *Trainer) Params() []optim.Param { return t.params }

// Profile adds up the operators of all graphs; see graph.VM.Profile.
func (t *Trainer) Profile() []engine.ProfileRow {
	for _, g := range t.graphs {
		return g.vm.Profile()
	}
	return nil
}

// ResetProfile forgets the times measured so far.
func (t *Trainer) ResetProfile() {
	for _, g := range t.graphs {
		g.vm.ResetProfile()
	}
}

// FLOPs is the number of floating-point operations of a prepared step.
func (t *Trainer) FLOPs() float64 {
	for _, g := range t.graphs {
		return g.vm.FLOPs()
	}
	return 0
}

// Close frees the graphs' memory.
func (t *Trainer) Close() error {
	for _, g := range t.graphs {
		if err := g.vm.Close(); err != nil {
			return err
		}
	}
	return nil
}
