package local_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
)

func wholeJob(t *testing.T, images string) engine.Job {
	job := tinyJob(t, images)
	job.Method, job.Settings, job.Rate, job.Preserve = "dreambooth", nil, 1e-4, -1
	return job
}

// TestClassPicturesAreRenderedOnce, belong to the project, and are used again where they match.
func TestClassPicturesAreRenderedOnce(t *testing.T) {
	skipUnderRace(t)
	eng := newEngine(t)
	job := wholeJob(t, pictures(t, 2))
	job.Steps, job.Prior = 2, engine.Prior{Count: 3}
	first := true
	train := func() (detail string) {
		t.Helper()
		_, err := eng.Train(context.Background(), job, func(e engine.Event) {
			if e.Sampling != nil && first {
				first = false
				if e.Sampling.Picture != 1 || e.Sampling.Pictures != 3 {
					t.Errorf("it renders picture %d of %d first, want 1 of 3", e.Sampling.Picture, e.Sampling.Pictures)
				}
			}
			if e.Kind == engine.KindSetup && e.Setup.What == "class" {
				detail = e.Setup.Detail
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return detail
	}
	for _, c := range []struct {
		change func()
		says   string
		files  int
	}{
		{func() {}, "3 of them rendered now", 3},
		{func() {}, "0 of them rendered now", 3},
		{func() { job.Prior.Count = 5 }, "2 of them rendered now", 5},
		{func() { job.Prior.Prompt = "a small {class}" }, "5 of them rendered now", 10},
	} {
		c.change()
		if detail := train(); !strings.Contains(detail, c.says) {
			t.Errorf("%+v: %q, want %q", job.Prior, detail, c.says)
		}
		found, err := filepath.Glob(filepath.Join(job.Out, "class", "*", "*.png"))
		if err != nil || len(found) != c.files {
			t.Errorf("%+v: %d class pictures in the project, want %d (%v)", job.Prior, len(found), c.files, err)
		}
	}
	record, err := os.ReadFile(func() string {
		found, _ := filepath.Glob(filepath.Join(job.Out, "class", "a-small-toy-*.toml"))
		return strings.Join(found, "")
	}())
	if err != nil || !strings.Contains(string(record), `prompt = "a small toy"`) {
		t.Errorf("the record says %s (%v)", record, err)
	}
}

// TestUsersClassPicturesCountAndChangeTheRun.
func TestUsersClassPictures(t *testing.T) {
	eng := newEngine(t)
	job := wholeJob(t, pictures(t, 1))
	job.Steps = 2
	trained := func(prior engine.Prior) map[string][]float32 {
		t.Helper()
		job.Out, job.Prior = filepath.Join(t.TempDir(), "out"), prior
		result, err := eng.Train(context.Background(), job, func(engine.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		return tensors(t, result.Export)
	}
	dir := pictures(t, 3)
	with := trained(engine.Prior{Images: dir})
	if cmp.Equal(with, trained(engine.Prior{})) {
		t.Error("class pictures change nothing")
	}
	if !cmp.Equal(with, trained(engine.Prior{Images: dir, Weight: 1, Prompt: "a photo of a toy"})) {
		t.Error("the same run gives other values")
	}
}

func TestPriorsThatCannotBePreserved(t *testing.T) {
	eng := newEngine(t)
	for _, c := range []struct {
		change func(*engine.Job)
		says   string
	}{
		{func(j *engine.Job) { j.Class, j.Prior.Count = "", 4 }, "--class"},
		{func(j *engine.Job) { j.Prior.Weight = -1 }, "weight of the class pictures"},
		{func(j *engine.Job) { j.Prior.Count = -1 }, "class pictures must be"},
		{func(j *engine.Job) { j.Prior.Prompt = "a {word}" }, "zorbit"},
		{func(j *engine.Job) { j.Prior.Images = "nowhere" }, "class pictures"},
	} {
		job := wholeJob(t, pictures(t, 1))
		c.change(&job)
		if _, err := eng.Train(context.Background(), job, func(engine.Event) {}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", job.Prior, err)
		}
	}
}
