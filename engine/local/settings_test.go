package local_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/kernel/onednn"

	"github.com/google/go-cmp/cmp"
)

// shapes is a folder with pictures of several shapes: a square one, a tall one with a mask, a wide one half of which is
// transparent, and a last one, to be held out.
func shapes(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	sizes := map[string]image.Point{"a": {128, 128}, "b": {70, 260}, "b-mask": {70, 260}, "c": {260, 70}, "z": {128, 128}}
	for _, name := range names {
		size := sizes[name]
		img := image.NewNRGBA(image.Rectangle{Max: size})
		for i := range size.X * size.Y {
			x, y := i%size.X, i/size.X
			c := color.NRGBA{uint8(x * 3), uint8(y * 5), uint8(len(name) * 40), 255}
			if name == "c" && x < 100 {
				c.A = 0
			}
			if name == "b-mask" {
				c = color.NRGBA{uint8(y), uint8(y), uint8(y), 255}
			}
			img.SetNRGBA(x, y, c)
		}
		f, err := os.Create(filepath.Join(dir, name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(f, img), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// everything sets whatever can be set at the same time.
func everything(t *testing.T) engine.Job {
	job := tinyJob(t, shapes(t, "a", "b", "b-mask", "c", "z"))
	job.Resolution, job.Batch, job.Accumulate, job.Preserve = 128, 1, 2, 1
	job.Optimizer, job.Schedule, job.Warmup = "adamw8bit", "one_cycle", 3
	job.Loss = engine.Loss{Kind: "huber", Debiased: true, Masked: true}
	job.Noise = engine.Noise{Pyramid: 0.3, Perturb: 0.1, From: 10, To: 990, Timesteps: engine.LogitNormal, Bias: 0.2}
	job.Captions = engine.Captions{Dropout: 0.2, Shuffle: true, Keep: 1, Templates: []string{"{caption}, art, blue", "{word}, {class}, red"}}
	job.Views = engine.Views{Flip: true, Crops: 2, HoldOut: 1}
	job.Settings = map[string]string{"rank": "2", "text-encoder": "off"}
	return job
}

// TestEverySettingResumesBitForBit trains batches of several shapes with all settings, in one go and in two.
func TestEverySettingResumesBitForBit(t *testing.T) {
	skipUnderRace(t)
	if !onednn.Available() {
		t.Skip("takes minutes in plain Go")
	}
	eng := newEngine(t)
	job := everything(t)
	var steps []engine.StepEvent
	var validation []engine.StepLoss
	whole, err := eng.Train(context.Background(), job, func(e engine.Event) {
		if e.Step != nil {
			steps = append(steps, *e.Step)
		}
		if e.Validation != nil {
			validation = append(validation, *e.Validation)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	at := []int{}
	for _, v := range validation {
		at = append(at, v.Step)
		if !(v.Loss > 0) {
			t.Errorf("the pictures held out have a loss of %g", v.Loss)
		}
	}
	if diff := cmp.Diff([]int{0, 2, 4, 6, 8}, at); diff != "" {
		t.Errorf("validation at %v", at)
	}
	if math.Abs(steps[0].Rate-job.Rate/25) > 1e-12 || math.Abs(steps[3].Rate-job.Rate) > 1e-12 {
		t.Errorf("rates %g and %g of the one cycle", steps[0].Rate, steps[3].Rate)
	}

	again := job
	again.Out = filepath.Join(t.TempDir(), "out")
	ctx, stop := context.WithCancel(context.Background())
	if _, err = eng.Train(ctx, again, func(e engine.Event) {
		if e.Step != nil && e.Step.Step == 3 {
			stop()
		}
	}); engine.KindOf(err) != engine.Cancelled {
		t.Fatalf("a stopped run returned %v", err)
	}
	recorded, err := eng.OpenRun(context.Background(), again.Out)
	if err != nil {
		t.Fatal(err)
	}
	want := everythingCompleted(job)
	if diff := cmp.Diff(want, engine.Job{Loss: recorded.Job.Loss, Noise: recorded.Job.Noise, Captions: recorded.Job.Captions, Views: recorded.Job.Views}); diff != "" {
		t.Errorf("the run records %s", diff)
	}
	again = recorded.Job
	again.Resume, again.Out = true, recorded.Job.Out
	resumed, err := eng.Train(context.Background(), again, ignore)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tensors(t, whole.Checkpoint), tensors(t, resumed.Checkpoint)); diff != "" {
		t.Errorf("the resumed run's checkpoint differs: %s", diff)
	}
	run, err := eng.OpenRun(context.Background(), again.Out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(validation, run.Validation); diff != "" {
		t.Errorf("the resumed run's validation differs: %s", diff)
	}
}

// everythingCompleted is what a job's settings stand for.
func everythingCompleted(job engine.Job) engine.Job {
	job.Loss.HuberC, job.Loss.HuberSchedule = 0.1, "snr"
	return engine.Job{Loss: job.Loss, Noise: job.Noise, Captions: job.Captions, Views: job.Views}
}

// TestSettingsThatCannotBe: each gets one sentence before training starts.
func TestSettingsThatCannotBe(t *testing.T) {
	eng := newEngine(t)
	images, opaque := pictures(t, 2), shapes(t, "a", "z")
	for says, change := range map[string]func(*engine.Job){
		"accumulate must be":                         func(j *engine.Job) { j.Accumulate = -1 },
		"finds the learning rate itself":             func(j *engine.Job) { j.Optimizer = "prodigy" },
		"never ends in 8 steps":                      func(j *engine.Job) { j.Warmup = 8 },
		"warmup must not be negative":                func(j *engine.Job) { j.Warmup = -1 },
		"clip must be a number":                      func(j *engine.Job) { j.ClipNorm = math.NaN() },
		"cycles is for the schedule":                 func(j *engine.Job) { j.Cycles = 2 },
		"cycles must be from":                        func(j *engine.Job) { j.Schedule, j.Cycles = "cosine_with_restarts", 9 },
		"power is for the schedule":                  func(j *engine.Job) { j.Power = 2 },
		"power must be":                              func(j *engine.Job) { j.Schedule, j.Power = "polynomial", -1 },
		`loss cannot be "l3"`:                        func(j *engine.Job) { j.Loss.Kind = "l3" },
		"are for the losses huber":                   func(j *engine.Job) { j.Loss.HuberC = 0.1 },
		"huber-c must be":                            func(j *engine.Job) { j.Loss.Kind, j.Loss.HuberC = "huber", 2 },
		`huber-schedule cannot be "steep"`:           func(j *engine.Job) { j.Loss.Kind, j.Loss.HuberSchedule = "huber", "steep" },
		"min-snr must be":                            func(j *engine.Job) { j.MinSNR = math.NaN() },
		"min-snr and debiased":                       func(j *engine.Job) { j.MinSNR, j.Loss.Debiased = 5, true },
		"no picture has one":                         func(j *engine.Job) { j.Loss.Masked, j.Images = true, opaque },
		"noise-offset must be":                       func(j *engine.Job) { j.Noise.Offset = 2 },
		"noise-pyramid must be":                      func(j *engine.Job) { j.Noise.Pyramid = 1 },
		"noise-perturb must be":                      func(j *engine.Job) { j.Noise.Perturb = math.Inf(1) },
		"noise-offset and noise-pyramid":             func(j *engine.Job) { j.Noise.Offset, j.Noise.Pyramid = 0.1, 0.1 },
		"not from 500 to 400":                        func(j *engine.Job) { j.Noise.From, j.Noise.To = 500, 400 },
		"not from 0 to 1001":                         func(j *engine.Job) { j.Noise.To = 1001 },
		`timesteps cannot be "early"`:                func(j *engine.Job) { j.Noise.Timesteps = "early" },
		"uniform ones have none":                     func(j *engine.Job) { j.Noise.Bias = 1 },
		"timestep-bias must be":                      func(j *engine.Job) { j.Noise.Timesteps, j.Noise.Bias = engine.LogitNormal, 6 },
		"caption-dropout must be":                    func(j *engine.Job) { j.Captions.Dropout = 1 },
		"it needs caption-shuffle":                   func(j *engine.Job) { j.Captions.Keep = 1 },
		"a caption template is empty":                func(j *engine.Job) { j.Captions.Templates = []string{" "} },
		`the caption template "a {name}" has {name}`: func(j *engine.Job) { j.Captions.Templates = []string{"a {name}"} },
		"crops must be":                              func(j *engine.Job) { j.Views.Crops = 17 },
		"hold-out must leave":                        func(j *engine.Job) { j.Views.HoldOut = 2 },
	} {
		job := tinyJob(t, images)
		change(&job)
		_, err := eng.Train(context.Background(), job, ignore)
		if engine.KindOf(err) != engine.BadInput || err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
		if _, err := os.Stat(job.Out); err == nil {
			t.Errorf("%q: the project folder was made all the same", says)
		}
	}
}
