package local

import (
	"context"
	"time"

	"easel/engine"
	"easel/engine/method"
	"easel/engine/model"
)

// Plan implements engine.Engine.
func (l *local) Plan(ctx context.Context, job engine.Job, measure bool, sink engine.Sink) (preview engine.Preview, err error) {
	err = l.do(ctx, func() error {
		defer release() // a window stays open for hours after it
		s := &session{l: l, job: job, sink: sink, clock: time.Now()}
		defer s.close()
		preview, err = s.preview(ctx, measure)
		return err
	})
	return preview, err
}

// preview prepares a run as far as it can be foreseen without encoding the pictures.
func (s *session) preview(ctx context.Context, measure bool) (engine.Preview, error) {
	for _, part := range []func(context.Context) error{s.openModel, s.loadPictures, s.plan, s.buildTrainer, s.compile} {
		if err := part(ctx); err != nil {
			return engine.Preview{}, err
		}
	}
	p := engine.Preview{Job: s.job, Choices: s.choices, Pictures: len(s.pictures.Items), Plan: s.job.Plan,
		Parameters: s.parameters(), FileBytes: method.FileBytes(s.tuning, storageTypes[s.job.Export])}
	if !measure {
		return p, nil
	}
	var err error
	p.SecondsPerStep, err = s.measureSteps(ctx)
	p.Seconds = p.SecondsPerStep * float64(s.job.Steps)
	return p, err
}

// measuredSteps are timed after one that warms up.
const measuredSteps = 2

// measureSteps times real steps on noise instead of pictures. What they train is thrown away.
func (s *session) measureSteps(ctx context.Context) (float64, error) {
	first := s.pictures.Items[0]
	factor := s.pipeline.model.VAE.Factor()
	b := benchBatch(s.pipeline, rows(s.job), first.Height/factor, first.Width/factor)
	step := 0
	run := func() error {
		_, err := s.trainer.Step(ctx, step, b)
		step++
		return err
	}
	if err := run(); err != nil {
		return 0, err
	}
	return median(measuredSteps, run)
}

// costPictures is how many pictures the costs of methods are told for.
const costPictures = 8

// Costs implements engine.Engine.
func (l *local) Costs(ctx context.Context, name string) (costs []engine.MethodCost, err error) {
	err = l.do(ctx, func() error {
		defer release()
		p, err := l.open(name, "auto", model.Options{})
		if err != nil {
			return err
		}
		defer p.close()
		for _, m := range method.All() {
			if err := ctx.Err(); err != nil {
				return engine.Errorf("estimate", "", engine.Cancelled, "%w", err)
			}
			c, err := p.cost(m)
			if err != nil {
				c = engine.MethodCost{Problem: reason(err)}
			}
			c.Method = m.Info().Name
			costs = append(costs, c)
		}
		return nil
	})
	return costs, err
}

func (p *pipeline) cost(m method.Method) (engine.MethodCost, error) {
	job, _, err := p.complete(engine.Job{Method: m.Info().Name, Word: "zorbit", Class: "thing"}, costPictures)
	if err != nil {
		return engine.MethodCost{}, err
	}
	f, err := p.footprint(m, job)
	if err != nil {
		return engine.MethodCost{}, err
	}
	plan, err := f.choose(job.Memory, job.Resolution)
	if err != nil {
		return engine.MethodCost{}, err
	}
	c := engine.MethodCost{Peak: plan.Peak, FileBytes: method.FileBytes(f.tuning, storageTypes[job.Export])}
	for _, t := range f.tuning.Parameters() {
		c.Parameters += int64(t.Value.Len())
	}
	return c, nil
}
