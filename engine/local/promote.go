package local

import (
	"context"
	"time"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/method"
	"easel/engine/store"
)

// Promote implements engine.Engine.
func (l *local) Promote(ctx context.Context, project string, step int) (exported engine.ExportEvent, err error) {
	err = l.do(ctx, func() error {
		s := &session{l: l, sink: func(engine.Event) {}, clock: time.Now()}
		defer s.close()
		exported, err = s.promote(ctx, project, step)
		return err
	})
	return exported, err
}

// promote makes the run again as it was after step, without training, and exports that.
func (s *session) promote(ctx context.Context, project string, step int) (engine.ExportEvent, error) {
	run, err := store.Open(project)
	if err != nil {
		return engine.ExportEvent{}, err
	}
	s.job, s.from, s.started = run.Job, step, time.Now()
	s.job.Resume = true // writes into the run
	if s.method, err = method.ByName(s.job.Method); err != nil {
		return engine.ExportEvent{}, err
	}
	for _, part := range []func(context.Context) error{s.openStore, s.openModel, s.describePictures, s.follow, s.buildTrainer, s.loadValues} {
		if err := part(ctx); err != nil {
			return engine.ExportEvent{}, err
		}
	}
	s.grid = newGrid(s)
	s.grid.load(run, step)
	return s.export(ctx)
}

// describePictures reads the pictures for what a file says of them; they may be gone.
func (s *session) describePictures(ctx context.Context) error {
	set, err := dataset.Load(ctx, s.job.Images, dataset.Options{Buckets: s.pipeline.buckets(s.job.Resolution), Word: s.job.Word, Class: s.job.Class})
	if err == nil {
		s.pictures = set
	}
	return ctx.Err()
}

// follow makes the pipeline work as the run had planned.
func (s *session) follow(context.Context) error {
	tuning, err := s.method.Start(s.pipeline.model.Outline(), s.job)
	if err != nil {
		return err
	}
	return s.pipeline.follow(s.job.Plan, tuning.TrainsText())
}

// loadValues takes over what was trained up to the chosen step.
func (s *session) loadValues(context.Context) error {
	path, err := s.store.ValuesAt(s.from)
	if err != nil {
		return err
	}
	side := s.job.Resolution / s.pipeline.model.VAE.Factor()
	if err := s.trainer.Prepare(1, side, side); err != nil {
		return err
	}
	return s.trainer.Load(path)
}
