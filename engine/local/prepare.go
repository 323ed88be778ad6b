package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/format"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
	"easel/engine/sample"
	"easel/engine/store"
	"easel/engine/train"
)

// prepare does everything up to the first step. It says what it has done, one line a part.
func (s *session) prepare(ctx context.Context) error {
	for _, part := range []func(context.Context) error{s.checkResume, s.openModel, s.openBeginning, s.loadPictures, s.plan, s.buildTrainer, s.classPictures, s.checkCheckpoint, s.encode, s.compile, s.openStore, s.restore} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// checkResume refuses to go on with what is finished, before any work.
func (s *session) checkResume(context.Context) error {
	if !s.job.Resume {
		return nil
	}
	run, err := store.Open(s.job.Out)
	if err == nil && run.Done {
		return engine.Errorf("resume", s.job.Out, engine.BadInput, "the newest run is finished; train into this folder without --resume to start another")
	}
	return err
}

func (s *session) openModel(context.Context) (err error) {
	if s.pipeline, err = s.l.open(s.job.Model, s.job.DType, model.Options{VAE: s.job.VAE, Prediction: s.job.Prediction}); err != nil {
		return err
	}
	s.setup("model", "%s: output is %s at %d px; computes in %v on %s", s.job.Model, s.pipeline.schedule.Prediction,
		s.pipeline.model.Resolution(), s.pipeline.options.DType, s.l.device.Backend)
	return nil
}

// openBeginning looks at the file that training begins with before the pictures take any time.
func (s *session) openBeginning(context.Context) (err error) {
	s.beginning, err = hashOf(s.job.From)
	return err
}

func (s *session) loadPictures(ctx context.Context) error {
	resolution := s.job.Resolution
	if resolution == 0 {
		resolution = s.pipeline.model.Resolution()
	}
	set, err := dataset.Load(ctx, s.job.Images, dataset.Options{Buckets: s.pipeline.buckets(resolution), Word: s.job.Word, Class: s.job.Class, Cache: s.l.thumbnails(filepath.Dir(s.job.Images))})
	if set != nil {
		for _, skipped := range set.Skipped {
			if skipped.Reason != dataset.Unused {
				s.emit(engine.Event{Kind: engine.KindWarning, Warning: &engine.WarningEvent{Text: "left out: " + reason(skipped.Err), Path: skipped.Path}})
			}
		}
	}
	if err == nil {
		err = s.holdOut(set)
	}
	if err != nil {
		return err
	}
	s.pictures = set
	if s.method, err = method.ByName(s.job.Method); err != nil {
		return err
	}
	if s.job, s.choices, err = s.pipeline.complete(s.job, len(set.Items)); err != nil {
		return err
	}
	s.setup("pictures", "%s from %s", s.counted(), s.job.Images)
	if err := s.checkMasks(); err != nil {
		return err
	}
	return s.pipeline.check(s.job)
}

// plan decides how the run uses memory. A resumed run goes on as it began, unless it is given another budget.
func (s *session) plan(ctx context.Context) error {
	f, err := s.pipeline.footprint(s.method, s.job)
	if err != nil {
		return err
	}
	if _, err := fileForms(s.method, f.tuning, s.job.Files); err != nil {
		return err
	}
	f.prompts = len(train.Prompts(s.pictures, s.job))
	for _, it := range s.pictures.Items {
		f.sources = append(f.sources, it.Source)
	}
	plan, recorded := s.recordedPlan()
	if !recorded {
		if plan, err = f.choose(s.job.Memory, s.job.Resolution); err != nil {
			return err
		}
	}
	s.job.Plan = plan
	s.setup("memory", "%s", plan.Why)
	if err := s.pipeline.follow(plan, f.tuning.TrainsText()); err != nil || plan.Resolution == s.job.Resolution {
		return err
	}
	s.job.Resolution = plan.Resolution
	return s.loadPictures(ctx)
}

// footprint describes a run for a prediction.
func (p *pipeline) footprint(m method.Method, job engine.Job) (*footprint, error) {
	release()
	f := &footprint{p: p, method: m, job: job, rows: rows(job), columns: len(job.Prompts), encodes: true, prompts: 1, base: resident()}
	if job.Preserve > 0 || job.Prior.On() && job.Prior.Images == "" {
		f.columns = max(f.columns, keptTogether)
	}
	return f, f.restart(kernel.F32)
}

// recordedPlan is the plan of the run that is resumed, if it was made for the same budget.
func (s *session) recordedPlan() (engine.Plan, bool) {
	if !s.job.Resume {
		return engine.Plan{}, false
	}
	run, err := store.Open(s.job.Out)
	if err != nil || run.Job.Memory != s.job.Memory || run.Job.Plan.Peak == 0 {
		return engine.Plan{}, false
	}
	return run.Job.Plan, true
}

// reason is an error without its operation and path, for where those are told beside it.
func reason(err error) string {
	var e *engine.Error
	if errors.As(err, &e) && e.Err != nil {
		return e.Err.Error()
	}
	return err.Error()
}

// openStore starts a run in the project folder, or goes on with the newest. It comes late: a run that cannot start
// leaves none behind.
func (s *session) openStore(context.Context) (err error) {
	if s.job.Resume {
		s.store, err = store.Resume(s.job.Out)
	} else {
		s.store, err = store.Create(s.job.Out, s.job)
	}
	if err != nil {
		return err
	}
	for _, e := range s.early {
		s.journal(e)
	}
	s.early = nil
	return nil
}

func (s *session) buildTrainer(context.Context) error {
	m := s.method
	var err error
	if s.tuning, err = m.Start(s.pipeline.model, s.job); err != nil {
		return err
	}
	s.job.Settings = s.tuning.Settings()
	optimizer, err := newOptimizer(s.job)
	if err != nil {
		return err
	}
	rate, err := newRate(s.job)
	if err != nil {
		return err
	}
	loss, err := newLoss(s.job.Loss)
	if err != nil {
		return err
	}
	average, err := newAverage(s.job)
	if err != nil {
		return err
	}
	s.trainer = train.New(train.Config{Model: s.pipeline.model, Tuning: s.tuning, Backend: s.pipeline.backend,
		Schedule: s.pipeline.schedule, Loss: loss, Weighting: weighting(s.job), Optimizer: optimizer, Rate: rate, Steps: s.job.Steps,
		ClipNorm: s.job.ClipNorm, Average: average, InPass: s.job.Plan.InPass, Prior: s.job.Prior.Weight, Preserve: s.job.Preserve, Options: s.pipeline.options})
	return nil
}

// compile builds the step's graph and reads the weights for it: after the encoders have had the memory.
func (s *session) compile(context.Context) error {
	first := s.pictures.Items[0]
	factor := s.pipeline.model.VAE.Factor()
	if err := s.trainer.Prepare(rows(s.job), first.Height/factor, first.Width/factor); err != nil {
		return err
	}
	info := s.method.Info()
	s.setup("method", "%s trains %d numbers: %s", info.Title, s.parameters(), info.Updates)
	if s.job.From != "" {
		s.setup("beginning", "with the values of %s", s.job.From)
	}
	return nil
}

// rows are those of a step's batch: pictures, and as many of each kind of what is preserved.
func rows(job engine.Job) int {
	n := job.Batch
	if job.Prior.On() {
		n += job.Batch
	}
	if job.Preserve > 0 {
		n += job.Batch
	}
	return n
}

// hashOf tells files that training begins with apart; empty where there is none.
func hashOf(from string) (string, error) {
	if from == "" {
		return "", nil
	}
	f, err := format.OpenLoRA(from)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return f.ModelHash(), nil
}

func (s *session) parameters() (n int64) {
	for _, p := range s.trainer.Params() {
		n += int64(p.Value.Len())
	}
	return n
}

func (s *session) encode(ctx context.Context) (err error) {
	s.data, err = train.NewData(ctx, s.trainer.Config, s.pictures, s.job)
	if err != nil {
		return err
	}
	if err := s.encodeClass(ctx); err != nil {
		return err
	}
	if err := s.encodeHeldOut(ctx); err != nil {
		return err
	}
	s.pipeline.rest()
	s.setup("latents", "%s", s.data.Encoded())
	if s.job.Preserve <= 0 {
		return nil
	}
	defer s.pipeline.rest()
	return s.keep(ctx)
}

// keptTogether is how many prompts to preserve are rendered at a time where memory allows.
const keptTogether = 8

// keep records the untrained model's predictions for other prompts.
func (s *session) keep(ctx context.Context) error {
	base := s.pipeline.renderer(nil)
	defer base.Close()
	seed := s.job.Seed + 1000 // not those of the grid
	done := 0
	for prompts := range slices.Chunk(preserved(), keptTogether) {
		q := sample.Request{Prompts: prompts, Sampler: gridSampler, Steps: s.job.SampleSteps, Guidance: s.job.Guidance, Width: s.job.Resolution, Height: s.job.Resolution}
		for range prompts {
			q.Seeds = append(q.Seeds, seed)
			seed++
		}
		err := s.data.Keep(ctx, base, q, func(step int) {
			s.sink(engine.Event{Kind: engine.KindSampling, Sampling: &engine.SamplingEvent{Picture: done + 1, Pictures: len(preserved()), Step: step, Steps: q.Steps}})
		})
		if err != nil {
			return err
		}
		done += len(prompts)
	}
	s.setup("preserve", "recorded what the model does for %d other prompts, to hold it to that", len(preserved()))
	if i := slices.IndexFunc(s.pictures.Items, func(it dataset.Item) bool { return it.Width != s.job.Resolution || it.Height != s.job.Resolution }); i >= 0 {
		s.warn(fmt.Errorf("some pictures are not square (%s is one), and steps with those do not protect what other prompts paint", filepath.Base(s.pictures.Items[i].Path)))
	}
	return nil
}

// checkCheckpoint refuses to go on with other pictures or settings than the run began with, before what takes long.
func (s *session) checkCheckpoint(context.Context) error {
	if !s.job.Resume {
		return nil
	}
	run, err := store.Open(s.job.Out)
	if err != nil {
		return err
	}
	path, _, err := store.LatestCheckpoint(run.Dir)
	if err != nil || path == "" {
		return err
	}
	recorded, err := train.CheckpointJob(path)
	if err != nil {
		return err
	}
	now := s.fingerprint()
	if settings := func(f string) string { return f[:max(strings.LastIndexByte(f, ' '), 0)] }; recorded != now && settings(recorded) == settings(now) {
		return engine.Errorf("resume", s.job.Images, engine.BadInput, "the pictures or their captions have changed since the run began, so it cannot go on as if nothing had happened: make them what they were, or start anew")
	}
	return nil // restore compares the rest
}

// fill puts the job's word and class noun into a prompt.
func fill(prompt string, job engine.Job) string {
	return strings.TrimSpace(strings.NewReplacer("{word}", job.Word, "{class}", job.Class).Replace(prompt))
}

// restore goes on from the newest checkpoint where the job says so.
func (s *session) restore(context.Context) error {
	s.grid = newGrid(s)
	if !s.job.Resume {
		return nil
	}
	path, _, err := s.store.LatestCheckpoint()
	if err != nil || path == "" {
		return err
	}
	if s.from, err = s.trainer.Restore(path, s.fingerprint()); err != nil {
		return err
	}
	if err := s.resumeRecords(); err != nil {
		return err
	}
	s.result.Checkpoint, s.result.Run.Step = path, s.from
	s.setup("resume", "from step %d", s.from)
	return nil
}

// resumeRecords takes over the pictures and losses of the run so far.
func (s *session) resumeRecords() error {
	run, err := store.Open(s.job.Out)
	if err != nil {
		return err
	}
	for _, l := range run.Losses {
		if l.Step <= s.from {
			s.losses = append(s.losses, l.Loss)
		}
	}
	for _, v := range run.Validation {
		if v.Step <= s.from {
			s.validated = append(s.validated, v)
		}
	}
	s.grid.load(run, s.from)
	return nil
}
