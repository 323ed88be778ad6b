package local_test

import (
	"bytes"
	"context"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
)

// TestNewWordsAreTrainedAndUsed: two words at once, each in each form of file, named so that a program that calls a word
// by its file's name calls it right; the exported files have the trained model's effect, a prompt with a file's word gives
// another picture with the file than without, and other prompts the same to the byte.
func TestNewWordsAreTrainedAndUsed(t *testing.T) {
	skipUnderRace(t)
	eng := newEngine(t)
	job := tinyJob(t, pictures(t, 3))
	job.Method, job.Rate = "textual-inversion", 0.1
	job.Settings = map[string]string{"words": "blorp=cat", "vectors": "2"}
	job.Files = []string{"a1111", "diffusers", "pt"}
	job.Prompts = []string{"a {word} and a blorp", "a cat"}
	var readBack string
	result, err := eng.Train(context.Background(), job, func(e engine.Event) {
		if e.Setup != nil && e.Setup.What == "export" {
			readBack = e.Setup.Detail
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range result.Exports {
		names = append(names, filepath.Base(path))
	}
	want := []string{"zorbit.safetensors", "blorp.safetensors", "zorbit-diffusers.safetensors", "blorp-diffusers.safetensors", "zorbit.pt", "blorp.pt"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files: %s", diff)
	}
	if !strings.HasSuffix(readBack, "by 0.0000 of the range") {
		t.Errorf("the files read back: %s", readBack)
	}
	if result.Summary.Drift != 0 || result.Summary.WeightChange == 0 || result.Summary.Parameters != 2*2*12 {
		t.Errorf("summary %+v", result.Summary)
	}
	for _, c := range []struct {
		prompt string
		file   string // "" without
		as     string // whose picture it must equal; "" must differ from all before
	}{
		{"a zorbit", "", ""}, {"a zorbit", "zorbit.safetensors", ""}, {"a zorbit", "zorbit.pt", "a zorbit zorbit.safetensors"},
		{"a zorbit", "zorbit-diffusers.safetensors", "a zorbit zorbit.safetensors"}, {"a cat", "", ""}, {"a cat", "zorbit.safetensors", "a cat "},
	} {
		t.Run(c.prompt+" "+c.file, func(t *testing.T) {
			req := engine.SampleRequest{Model: job.Model, Prompt: c.prompt, Steps: 3, Seed: 5, Out: filepath.Join(job.Out, strings.ReplaceAll(c.prompt+" "+c.file, " ", "_")+".png")}
			if c.file != "" {
				req.Tuned = []engine.TunedFile{{Path: filepath.Join(job.Out, c.file), Weight: 1}}
			}
			if _, err := eng.Sample(context.Background(), req, ignore); err != nil {
				t.Fatal(err)
			}
			got := pixelsOf(t, req.Out)
			others, _ := filepath.Glob(filepath.Join(job.Out, "*.png"))
			for _, other := range others {
				same := bytes.Equal(got, pixelsOf(t, other))
				shouldBe := other == req.Out || filepath.Base(other) == strings.ReplaceAll(c.as, " ", "_")+".png"
				if c.as != "" && shouldBe && !same || c.as == "" && other != req.Out && same {
					t.Errorf("compared with %s, the same is %v", filepath.Base(other), same)
				}
			}
		})
	}
}

// pixelsOf is a picture without what is written into the file beside it.
func pixelsOf(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	var pixels []byte
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			pixels = append(pixels, byte(r>>8), byte(g>>8), byte(b>>8))
		}
	}
	return pixels
}

// TestPivotalRun: a LoRA and its word are exported as two files, which together have the trained model's effect.
func TestPivotalRun(t *testing.T) {
	eng := newEngine(t)
	job := tinyJob(t, pictures(t, 3))
	job.Method, job.Files = "pivotal", []string{"kohya", "bundle"}
	readBack := ""
	result, err := eng.Train(context.Background(), job, func(e engine.Event) {
		if e.Setup != nil && e.Setup.What == "export" {
			readBack = e.Setup.Detail
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range result.Exports {
		names = append(names, filepath.Base(path))
	}
	if diff := cmp.Diff([]string{"zorbit.safetensors", "zorbit.pt", "zorbit-bundle.safetensors"}, names); diff != "" {
		t.Errorf("files: %s", diff)
	}
	if !strings.HasSuffix(readBack, "by 0.0000 of the range") {
		t.Errorf("the files read back: %s", readBack)
	}
}

// TestResumedInversionEqualsUninterruptedOne, bit for bit.
func TestResumedInversionEqualsUninterruptedOne(t *testing.T) {
	eng := newEngine(t)
	job := tinyJob(t, pictures(t, 3))
	job.Method, job.Rate, job.Settings = "textual-inversion", 0.1, map[string]string{"keep-norm": "on"}
	whole, err := eng.Train(context.Background(), job, ignore)
	if err != nil {
		t.Fatal(err)
	}
	job.Out = filepath.Join(t.TempDir(), "again")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if _, err := eng.Train(ctx, job, func(e engine.Event) {
		if e.Step != nil && e.Step.Step == 4 {
			stop()
		}
	}); engine.KindOf(err) != engine.Cancelled {
		t.Fatalf("a stopped run returned %v", err)
	}
	job.Resume = true
	resumed, err := eng.Train(context.Background(), job, ignore)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tensors(t, whole.Checkpoint), tensors(t, resumed.Checkpoint)); diff != "" {
		t.Errorf("the resumed run's checkpoint differs: %s", diff)
	}
}
