package local_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/internal/golden"
	"easel/engine/kernel/onednn"

	"github.com/google/go-cmp/cmp"
)

// planOf trains a step in a process of its own, whose memory other tests do not share, and returns the plan on record and
// the exported tensors.
func planOf(t *testing.T, eng engine.Engine, job engine.Job) (engine.Plan, map[string][]float32) {
	t.Helper()
	plan, _ := trainAlone(t, job)
	run, err := eng.OpenRun(context.Background(), job.Out)
	if err != nil {
		t.Fatal(err)
	}
	return plan, tensors(t, run.Export)
}

// TestBudgetChoosesARung: less memory means a leaner plan, whose results are equal as long as weights and resolution are;
// what cannot be had is refused with what it would need.
func TestBudgetChoosesARung(t *testing.T) {
	if !onednn.Available() || raceDetector {
		t.Skip("takes many minutes in plain Go, and the race detector takes memory of its own")
	}
	eng := newEngine(t)
	job := engine.Job{Method: "lora", Model: randomModel(t, 64, 128, 192), Images: pictures(t, 1), Word: "zorbit", Class: "toy", Out: t.TempDir(),
		Steps: 1, Batch: 8, SampleSteps: 1, DType: "bf16", Preserve: -1, Prompts: []string{"a {word}"}, Export: "f32",
		Settings: map[string]string{"rank": "2", "text-encoder": "off"}}
	free, want := planOf(t, eng, job)
	if free.Stream || free.Resolution != 256 || free.Peak > free.Budget {
		t.Errorf("with all memory free: %+v", free)
	}
	job.Out, job.Memory = t.TempDir(), free.Peak-10<<20
	less, got := planOf(t, eng, job)
	if less.Recompute == free.Recompute && !less.Stream || less.Peak > job.Memory || less.Budget != job.Memory || less.Resolution != 256 {
		t.Errorf("with 10 MB less than it takes: %+v", less)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the plan %q changes results", less.Why)
	}
	job.Out, job.Memory = t.TempDir(), 1<<20
	_, err := eng.Train(context.Background(), job, ignore)
	if engine.KindOf(err) != engine.OutOfMemory || !strings.Contains(err.Error(), "needs at least") {
		t.Errorf("with 1 MB: %v", err)
	}
}

// TestResumedRunKeepsItsPlan: whatever the machine has free by then.
func TestResumedRunKeepsItsPlan(t *testing.T) {
	eng := newEngine(t)
	job := tinyJob(t, pictures(t, 2))
	ctx, stop := context.WithCancel(context.Background())
	_, err := eng.Train(ctx, job, func(e engine.Event) {
		if e.Step != nil && e.Step.Step == 2 {
			stop()
		}
	})
	if engine.KindOf(err) != engine.Cancelled {
		t.Fatal(err)
	}
	run, err := eng.OpenRun(context.Background(), job.Out)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	job.Resume = true
	if _, err := eng.Train(context.Background(), job, func(e engine.Event) {
		if e.Setup != nil && e.Setup.What == "memory" {
			said = append(said, e.Setup.Detail)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if run.Job.Plan.Peak == 0 || len(said) != 1 || said[0] != run.Job.Plan.Why {
		t.Errorf("the run began with %+v and went on with %q", run.Job.Plan, said)
	}
}

// TestHalfWeightsStayHalf: where float32 computes, a checkpoint of float16 is read as it lies in its file, and the numbers
// are those of the same weights in float32.
func TestHalfWeightsStayHalf(t *testing.T) {
	skipUnderRace(t)
	eng := newEngine(t)
	lora := golden.Path(t, "files", "lora.safetensors")
	half := merge(t, engine.MergeRequest{Model: golden.Path(t, "tiny-sd1"), LoRAs: []engine.TunedFile{{Path: lora, Weight: 1}},
		Out: filepath.Join(t.TempDir(), "half"), DType: "f16"}).Path
	full := merge(t, engine.MergeRequest{Model: half, LoRAs: []engine.TunedFile{{Path: lora, Weight: 1e-20}}, // adds nothing
		Out: filepath.Join(t.TempDir(), "full"), DType: "f32"}).Path
	trained := map[string]map[string][]float32{}
	for want, model := range map[string]string{"f16": half, "f32": full} {
		job := tinyJob(t, pictures(t, 2))
		job.Model, job.Steps = model, 3
		result, err := eng.Train(context.Background(), job, ignore)
		if err != nil {
			t.Fatal(err)
		}
		run, err := eng.OpenRun(context.Background(), job.Out)
		if err != nil || run.Job.Plan.Weights != want {
			t.Errorf("stored as %s, want %s (%v)", run.Job.Plan.Weights, want, err)
		}
		trained[want] = tensors(t, result.Export)
	}
	if diff := cmp.Diff(trained["f32"], trained["f16"]); diff != "" {
		t.Error(diff)
	}
}
