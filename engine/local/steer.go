package local

import (
	"context"
	"image"
	"os"
	"path/filepath"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
)

// obey does between two steps what the job's Control asks for, and waits while the run is paused. The trained values stay
// as they are.
func (s *session) obey(ctx context.Context) error {
	waiting := false
	for {
		asked, paused, changed := s.job.Control.Take()
		if err := s.answer(ctx, asked); err != nil {
			return err
		}
		if paused != waiting {
			waiting = paused
			s.sink(engine.Event{Kind: engine.KindPause, Pause: &engine.PauseEvent{Paused: paused, Step: s.from}})
		}
		if !paused || asked.Step {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return engine.Errorf("train", "", engine.Cancelled, "stopped after step %d: %w", s.from, ctx.Err())
		}
	}
}

func (s *session) answer(ctx context.Context, asked engine.Asked) error {
	change := func(err error) error {
		asked.Sample = true
		if engine.KindOf(err) != engine.Cancelled && err != nil { // a prompt is no reason to end a run
			s.warn(err)
			return nil
		}
		return err
	}
	for _, r := range asked.Reworded {
		if err := change(s.grid.reword(ctx, r)); err != nil {
			return err
		}
	}
	for _, prompt := range asked.Prompts {
		if err := change(s.grid.extend(ctx, prompt)); err != nil {
			return err
		}
	}
	if asked.Sample {
		if err := s.row(ctx); err != nil {
			return err
		}
	}
	if asked.Save {
		if err := s.save(); err != nil {
			return err
		}
	}
	if asked.Look {
		if err := s.look(ctx); engine.KindOf(err) == engine.Cancelled {
			return err
		} else if err != nil {
			s.warn(err)
		}
	}
	return nil
}

// look shows the next step, or the last where all are done, by the pictures of the first row of its batch.
func (s *session) look(ctx context.Context) error {
	step := min(s.from, s.job.Steps-1)
	number := step * s.job.Accumulate // of the step's first batch
	batch, err := s.data.Batch(ctx, number)
	if err != nil {
		return err
	}
	item := s.pictures.Items[s.pictures.Batch(s.job.Seed, number, s.job.Batch)[0]]
	first := func(t *kernel.Tensor) *kernel.Tensor {
		n := kernel.Len(t.Shape[1:])
		return kernel.FromF32(t.F32()[:n], append([]int{1}, t.Shape[1:]...)...)
	}
	s.pipeline.options.Memory.Close() // the step's
	r := s.pipeline.renderer(s.tuning)
	l, err := r.Look(ctx, first(batch.Latents), first(batch.Noise), batch.Timesteps[0], item.Caption)
	r.Close()
	s.pipeline.rest()
	if err != nil {
		return err
	}
	v := engine.ViewEvent{Step: step + 1, Timestep: batch.Timesteps[0], Of: s.pipeline.schedule.Len(), Caption: item.Caption, Source: item.Path, Loss: l.Loss}
	for _, part := range []struct {
		name    string
		picture image.Image
		path    *string
	}{{"clean", l.Clean, &v.Clean}, {"noised", l.Noised, &v.Noised}, {"noise", l.Noise, &v.Noise},
		{"predicted", l.Predicted, &v.Predicted}, {"denoised", l.Denoised, &v.Denoised}, {"error", l.Error, &v.Error}} {
		*part.path = s.store.ViewPath(v.Step, part.name)
		if err := os.MkdirAll(filepath.Dir(*part.path), 0o755); err != nil {
			return engine.Errorf("write view", *part.path, engine.BadFile, "%w", err)
		}
		if err := format.WritePNG(*part.path, part.picture, ""); err != nil {
			return err
		}
	}
	s.sink(engine.Event{Kind: engine.KindView, View: &v})
	return nil
}
