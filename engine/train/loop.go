package train

import (
	"context"
	"time"

	"easel/engine"
)

// Loop runs the steps of a training run and calls hooks between them.
type Loop struct {
	Trainer    *Trainer
	Batches    func(ctx context.Context, number int) (Batch, error) // counted from 0 over the whole run
	Accumulate int                                                  // batches of a step; 0 is 1
	From       int                                                  // steps done before
	Steps      int                                                  // of the whole run
	// AfterStep is called after each step. An error ends the loop and is returned.
	AfterStep func(ctx context.Context, p Progress) error
}

// Progress is what a Loop knows after a step.
type Progress struct {
	Result
	Step    int     // steps done, 1 after the first
	Smooth  float64 // mean loss, weighing the last 20 or so steps
	Seconds float64 // of this step
	Mean    float64 // seconds a step, weighing the last 20 or so
}

// smoothing is the weight of the newest step in running means.
const smoothing = 0.05

// Run makes the steps. When ctx is cancelled it returns an error of kind Cancelled; the parameters are then those
// after the last step that AfterStep has seen.
func (l *Loop) Run(ctx context.Context) error {
	var p Progress
	for step := l.From; step < l.Steps; step++ {
		if err := ctx.Err(); err != nil {
			return engine.Errorf("train", "", engine.Cancelled, "stopped after step %d: %w", step, err)
		}
		start := time.Now()
		batches, err := l.batches(ctx, step)
		if err != nil {
			return err
		}
		r, err := l.Trainer.Step(ctx, step, batches...)
		if err != nil {
			return err
		}
		p.follow(r, step, time.Since(start).Seconds(), step == l.From)
		if err := l.AfterStep(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// batches are those of a step.
func (l *Loop) batches(ctx context.Context, step int) ([]Batch, error) {
	all := make([]Batch, max(l.Accumulate, 1))
	for i := range all {
		var err error
		if all[i], err = l.Batches(ctx, step*len(all)+i); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (p *Progress) follow(r Result, step int, seconds float64, first bool) {
	p.Result, p.Step, p.Seconds = r, step+1, seconds
	if first {
		p.Smooth, p.Mean = r.Loss, seconds
		return
	}
	p.Smooth += smoothing * (r.Loss - p.Smooth)
	p.Mean += smoothing * (seconds - p.Mean)
}
