package local

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/method"
	"easel/engine/store"
	"easel/engine/train"
)

// Train implements engine.Engine.
func (l *local) Train(ctx context.Context, job engine.Job, sink engine.Sink) (result engine.Result, err error) {
	err = l.do(ctx, func() error {
		s := &session{l: l, job: job, sink: sink, clock: time.Now()}
		defer s.close()
		release()
		forgetPeak()
		defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
		if err = s.prepare(ctx); err == nil {
			err = s.run(ctx)
		}
		result = s.result
		return err
	})
	return result, err
}

// gcPercent is how much garbage, of what is in use, Go may let lie in a run: its heap is small beside the memory that
// is planned, and collecting it costs little.
const gcPercent = 25

// gcPercentHeavy is that where the optimizer's memory, which lies in the heap, is as large as a model.
const gcPercentHeavy = 4

// session is one call of Train.
type session struct {
	l     *local
	job   engine.Job
	sink  engine.Sink
	clock time.Time // since the last line of setup

	pipeline   *pipeline
	pictures   *dataset.Set
	choices    []engine.Choice // of the job's settings
	heldOut    *dataset.Set    // pictures that are not trained on
	class      *dataset.Set    // pictures for prior preservation; nil without
	method     method.Method
	tuning     method.Tuning
	beginning  string // hash of the file that training begins with; empty where there is none
	trainer    *train.Trainer
	data       *train.Data
	prior      *train.Prior      // nil without
	validation *train.Validation // of heldOut; nil where there is none
	store      *store.Run
	early      []engine.Event // from before there was a store
	readBack   []string       // the exported files of the first form
	grid       *grid

	from      int // steps done
	started   time.Time
	losses    []float64
	validated []engine.StepLoss // loss of heldOut
	seconds   float64           // spent in steps
	peak      int64             // memory at the last step
	result    engine.Result     // what there is so far, also where the run ends early
}

// run trains and exports. A cancelled run leaves a checkpoint.
func (s *session) run(ctx context.Context) error {
	s.started = time.Now()
	var err error
	if s.grid.due(s.from) {
		if err = s.validate(ctx, s.from); err == nil {
			err = s.grid.render(ctx, s.from)
		}
	}
	if err == nil {
		err = s.obey(ctx)
	}
	if err == nil {
		loop := train.Loop{Trainer: s.trainer, Batches: s.batch, Accumulate: s.job.Accumulate, From: s.from, Steps: s.job.Steps, AfterStep: s.afterStep}
		err = loop.Run(ctx)
	}
	if err != nil {
		return s.interrupted(err)
	}
	return s.finish(ctx)
}

func (s *session) afterStep(ctx context.Context, p train.Progress) error {
	s.losses = append(s.losses, p.Loss)
	s.seconds += p.Seconds
	s.peak = residentPeak()
	s.emit(engine.Event{Kind: engine.KindStep, Step: &engine.StepEvent{Step: p.Step, Steps: s.job.Steps, Loss: p.Loss, Smooth: p.Smooth,
		Rate: p.Rate, GradNorm: p.GradNorm, SecondsPerStep: p.Mean, SecondsLeft: p.Mean * float64(s.job.Steps-p.Step), Memory: resident()}})
	s.from = p.Step
	s.result.Run.Step = p.Step
	if s.grid.due(p.Step) {
		if err := s.row(ctx); err != nil {
			return err
		}
	}
	return s.obey(ctx)
}

// row adds a row to the grid, with a checkpoint, so that it can be chosen later.
func (s *session) row(ctx context.Context) error {
	if err := s.save(); err != nil {
		return err
	}
	if err := s.validate(ctx, s.from); err != nil {
		return err
	}
	return s.grid.render(ctx, s.from)
}

// save writes a checkpoint, unless there is one of this step. Of the one before only what can be exported stays.
func (s *session) save() error {
	path, before := s.store.CheckpointPath(s.from), s.result.Checkpoint
	if path == before {
		return nil
	}
	if err := s.trainer.Save(path, s.from, s.fingerprint()); err != nil {
		return err
	}
	s.result.Checkpoint = path
	if err := s.thin(before); err != nil {
		s.warn(err)
	}
	s.emit(engine.Event{Kind: engine.KindCheckpoint, Checkpoint: &engine.CheckpointEvent{Step: s.from, Path: path}})
	return nil
}

func (s *session) thin(checkpoint string) error {
	if checkpoint == "" {
		return nil
	}
	if err := train.Thin(checkpoint, store.ValuesOf(checkpoint), storageTypes[s.job.Export]); err != nil {
		return err
	}
	return os.Remove(checkpoint)
}

// interrupted saves what a stopped run has reached, unless the numbers are spoilt. Where that cannot be saved, this is
// the error that counts.
func (s *session) interrupted(cause error) error {
	if engine.KindOf(cause) != engine.Cancelled {
		return cause
	}
	if err := s.save(); err != nil {
		return fmt.Errorf("the stopped run could not be saved: %w", err)
	}
	s.result.Summary = s.summary()
	s.finishJournal()
	return cause
}

// finishJournal records the result. A run is not lost with its journal.
func (s *session) finishJournal() {
	if err := s.store.Finish(s.result); err != nil {
		s.warn(err)
	}
}

func (s *session) setup(what, format string, args ...any) {
	now := time.Now()
	s.emit(engine.Event{Kind: engine.KindSetup, Setup: &engine.SetupEvent{What: what, Detail: fmt.Sprintf(format, args...), Seconds: now.Sub(s.clock).Seconds()}})
	s.clock = now
}

// emit passes an event to the sink and the journal.
func (s *session) emit(e engine.Event) {
	s.journal(e)
	s.sink(e)
}

// journal records an event. A journal that cannot be written does not end the run: its checkpoints and pictures are
// files of their own.
func (s *session) journal(e engine.Event) {
	if s.store == nil {
		s.early = append(s.early, e)
		return
	}
	if err := s.store.Append(e); err != nil {
		s.warn(err)
	}
}

// warn tells of an error that does not end the run.
func (s *session) warn(err error) {
	s.sink(engine.Event{Kind: engine.KindWarning, Warning: &engine.WarningEvent{Text: err.Error()}})
}

func (s *session) close() {
	if s.grid != nil {
		s.grid.renderer.Close()
	}
	if s.validation != nil {
		s.validation.Close()
	}
	if s.data != nil {
		s.data.Close()
	}
	if s.prior != nil {
		s.prior.Close()
	}
	if s.trainer != nil {
		s.trainer.Close()
	}
	if s.store != nil {
		s.store.Close()
	}
	if s.pipeline != nil {
		s.pipeline.close()
	}
}
