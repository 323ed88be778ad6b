package local

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/kernel"
	"easel/engine/method"
)

// finish exports, reads the file back as another program would, and sums up. What is done by then is in s.result, also
// where it is cancelled on the way.
func (s *session) finish(ctx context.Context) error {
	s.clock = time.Now()
	s.result.Summary = s.summary()
	if _, err := s.export(ctx); err != nil {
		return err
	}
	s.pipeline.rest()
	if err := s.grid.measure(ctx, &s.result.Summary); err != nil {
		return err
	}
	s.setup("likeness", "measured on the grid's first and last row")
	s.finishJournal()
	result := s.result
	s.sink(engine.Event{Kind: engine.KindResult, Result: &result})
	return nil
}

// export writes the file for other programs and renders through it.
func (s *session) export(ctx context.Context) (engine.ExportEvent, error) {
	path, err := s.store.ExportPath(s.job.Word)
	if err != nil {
		return engine.ExportEvent{}, err
	}
	if err := s.tuning.Export(path, s.about(path), exportTypes[s.job.Export]); err != nil {
		return engine.ExportEvent{}, err
	}
	s.result.Export = path
	if info, err := os.Stat(path); err == nil {
		s.result.Summary.FileBytes = info.Size()
	}
	s.pipeline.rest()
	e, err := s.grid.throughFile(ctx, path)
	if err != nil {
		return e, err
	}
	s.setup("export", "%s, read back: its picture differs from the trained one's by %.4f of the range", filepath.Base(path), e.Difference)
	s.emit(engine.Event{Kind: engine.KindExport, Export: &e})
	return e, nil
}

var exportTypes = map[string]kernel.DType{"f16": kernel.F16, "bf16": kernel.BF16, "f32": kernel.F32}

func (s *session) about(path string) method.About {
	a := method.About{Job: s.job, Name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)),
		VPredicted: s.pipeline.schedule.Prediction == diffusion.Velocity, SD2: s.pipeline.model.SD2(), Steps: s.from,
		Width: s.job.Resolution, Height: s.job.Resolution, Started: s.started, Finished: time.Now()}
	if s.pictures == nil { // a row is chosen whose pictures are gone
		return a
	}
	a.Images = len(s.pictures.Items)
	for _, it := range s.pictures.Items {
		a.Captions = append(a.Captions, it.Caption)
	}
	return a
}

func (s *session) summary() engine.Summary {
	return engine.Summary{Steps: s.from, Parameters: s.parameters(), WeightChange: s.tuning.WeightChange(),
		FirstLoss: mean(s.losses[:(len(s.losses)+9)/10]), LastLoss: mean(s.losses[len(s.losses)-(len(s.losses)+9)/10:]),
		Seconds: s.seconds, PeakMemory: s.peak}
}

func mean(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// picturesHash changes with the names, sizes and captions of the pictures.
func (s *session) picturesHash() []byte {
	h := sha256.New()
	for _, it := range s.pictures.Items {
		fmt.Fprintf(h, "%q %q %v %d %d\n", filepath.Base(it.Path), it.Caption, it.Source, it.Width, it.Height)
	}
	return h.Sum(nil)[:8]
}

// fingerprint tells runs apart by what decides their trained values: a checkpoint is good for an equal one only. The
// number of threads is not in it: another number changes the last bits, which nobody who moves to another machine minds.
func (s *session) fingerprint() string {
	job := s.job
	job.Out, job.Resume, job.Export = "", false, ""
	job.Memory, job.Plan = 0, engine.Plan{Weights: job.Plan.Weights} // all else of the plan changes no value
	job.From = s.beginning                                           // wherever the file lies
	job.DType = s.pipeline.options.DType.String()
	for _, path := range []*string{&job.Images, &job.Model, &job.VAE} { // the recorded job has them absolute
		if _, err := os.Stat(*path); err == nil && *path != builtinName {
			if abs, err := filepath.Abs(*path); err == nil {
				*path = abs
			}
		}
	}
	text, err := json.Marshal(job)
	if err != nil { // a number that is not finite, which check refuses
		return err.Error()
	}
	return fmt.Sprintf("%s %x", text, s.picturesHash())
}
