package local_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/internal/golden"
)

// copyFile puts a copy of a golden file into a folder of its own.
func copyFile(t *testing.T, from string) string {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), filepath.Base(from))
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTrainingGoesOnFromALoRA: the run begins with the file's values, moves them, records where it began, and resumes
// bit for bit, also with the file at another place, but not with another file.
func TestTrainingGoesOnFromALoRA(t *testing.T) {
	skipUnderRace(t)
	eng := newEngine(t)
	images := pictures(t, 2)
	from := copyFile(t, golden.Path(t, "files", "lora.safetensors"))
	fromJob := func() engine.Job {
		job := tinyJob(t, images)
		job.Steps, job.Settings, job.From = 4, nil, from
		return job
	}
	whole, err := eng.Train(context.Background(), fromJob(), ignore)
	if err != nil {
		t.Fatal(err)
	}
	start, end := tensors(t, from), tensors(t, whole.Export)
	moved := 0
	for name, v := range end {
		if !strings.HasSuffix(name, ".alpha") && !cmp.Equal(v, start[name]) {
			moved++
		}
	}
	if len(end) != len(start) || moved != len(start)/3*2 {
		t.Errorf("%d of %d tensors moved, the file holds %d", moved, len(end), len(start))
	}

	job := fromJob()
	ctx, stop := context.WithCancel(context.Background())
	_, err = eng.Train(ctx, job, func(e engine.Event) {
		if e.Step != nil && e.Step.Step == 2 {
			stop()
		}
	})
	if engine.KindOf(err) != engine.Cancelled {
		t.Fatalf("a stopped run returned %v", err)
	}
	run, err := eng.OpenRun(context.Background(), job.Out)
	if err != nil {
		t.Fatal(err)
	}
	if s := run.Job.Settings; run.Job.From != from || s["rank"] != "4" || s["alpha"] != "2" || s["targets"] != "attention+ff" || s["text-encoder"] != "on" {
		t.Errorf("the record says %q, %v", run.Job.From, s)
	}
	job = run.Job
	job.Resume = true
	job.From = golden.Path(t, "files", "locon.safetensors")
	job.Settings = nil
	if _, err := eng.Train(context.Background(), job, ignore); engine.KindOf(err) != engine.BadFile || !strings.Contains(err.Error(), "other settings") {
		t.Errorf("resuming with another file: %v", err)
	}
	job.Settings, job.From = run.Job.Settings, filepath.Join(t.TempDir(), "gone.safetensors")
	if _, err := eng.Train(context.Background(), job, ignore); engine.KindOf(err) != engine.NotFound {
		t.Errorf("resuming without the file: %v", err)
	}
	job.From = copyFile(t, from)
	resumed, err := eng.Train(context.Background(), job, ignore)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(end, tensors(t, resumed.Export)); diff != "" {
		t.Errorf("the resumed run's file differs: %s", diff)
	}
}

// TestAForeignStartLeavesNoRun: what cannot be begun with is refused before there is a project.
func TestAForeignStartLeavesNoRun(t *testing.T) {
	eng := newEngine(t)
	job := tinyJob(t, pictures(t, 1))
	job.Settings, job.From = nil, golden.Path(t, "tiny-sd2", "lora.safetensors")
	if _, err := eng.Train(context.Background(), job, ignore); engine.KindOf(err) != engine.BadFile || !strings.Contains(err.Error(), "another model") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(job.Out); err == nil {
		t.Error("a project was made")
	}
}
