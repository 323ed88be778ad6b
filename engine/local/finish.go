package local

import (
	"context"
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

// finish exports, reads the file back as another program would, and sums up.
func (s *session) finish(ctx context.Context) (engine.Result, error) {
	path, err := s.store.ExportPath(s.job.Word)
	if err != nil {
		return engine.Result{}, err
	}
	if err := s.tuning.Export(path, s.about(path), exportTypes[s.job.Export]); err != nil {
		return engine.Result{}, err
	}
	difference, err := s.grid.throughFile(ctx, path)
	if err != nil {
		return engine.Result{}, err
	}
	s.setup("export", "%s, read back: its picture differs from the trained one's by %.4f of the range", filepath.Base(path), difference)
	result := engine.Result{Export: path, Grid: s.grid.path, Checkpoint: s.checkpoint, Summary: s.summary()}
	if info, err := os.Stat(path); err == nil {
		result.Summary.FileBytes = info.Size()
	}
	if err := s.grid.measure(ctx, &result.Summary); err != nil {
		return engine.Result{}, err
	}
	s.emit(engine.Event{Kind: engine.KindSetup, Setup: &engine.SetupEvent{What: "likeness", Detail: fmt.Sprintf("%.2f before, %.2f after", result.Summary.LikenessBefore, result.Summary.LikenessAfter), Seconds: time.Since(s.clock).Seconds()}})
	if err := s.store.Finish(result); err != nil {
		return engine.Result{}, err
	}
	s.sink(engine.Event{Kind: engine.KindResult, Result: &result})
	return result, nil
}

var exportTypes = map[string]kernel.DType{"f16": kernel.F16, "bf16": kernel.BF16, "f32": kernel.F32}

func (s *session) about(path string) method.About {
	a := method.About{Job: s.job, Name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)),
		VPredicted: s.pipeline.schedule.Prediction == diffusion.Velocity, Images: len(s.pictures.Items), Steps: s.from,
		Width: s.job.Resolution, Height: s.job.Resolution, Started: s.started, Finished: time.Now()}
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

// fingerprint tells runs apart by what decides their trained values: a checkpoint is good for an equal one only.
func (s *session) fingerprint() string {
	job := s.job
	job.Out, job.Resume, job.Prompts, job.SampleSteps, job.Guidance, job.Export = "", false, nil, 0, 0, ""
	if abs, err := filepath.Abs(job.Images); err == nil {
		job.Images = abs
	}
	text, err := json.Marshal(job)
	if err != nil {
		panic(err) // plain data
	}
	return string(text)
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
