package local_test

import (
	"context"
	"strings"
	"testing"

	"easel/engine"
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
