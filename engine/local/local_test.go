package local_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/local"
	"easel/engine/preset"
	"easel/presets"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// skipUnderRace leaves out what takes minutes under the race detector and has no goroutines that other tests lack.
func skipUnderRace(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("tests numbers, for minutes under the race detector, which other tests are for")
	}
}

// shipped are the presets that the program holds.
func shipped(t *testing.T) preset.Set {
	t.Helper()
	s, err := preset.Read(presets.Files)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newEngine(t *testing.T) engine.Engine {
	t.Helper()
	eng, err := local.New(local.Options{Threads: 2, Presets: shipped(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close() })
	return eng
}

// pictures makes a folder of small pictures.
func pictures(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		img := image.NewNRGBA(image.Rect(0, 0, 70, 64))
		for p := range img.Pix {
			img.Pix[p] = uint8(p * (i + 3) / 5)
		}
		for x := range 20 {
			img.Set(20+x, 30, color.NRGBA{250, 20, 20, 255})
		}
		f, err := os.Create(filepath.Join(dir, string(rune('a'+i))+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(f, img), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tinyJob holds the model to none of its own predictions: the prompts for that would be rendered in every test.
func tinyJob(t *testing.T, images string) engine.Job {
	return engine.Job{Method: "lora", Model: golden.Path(t, "tiny-sd1"), Images: images, Word: "zorbit", Class: "toy", Out: filepath.Join(t.TempDir(), "out"),
		Steps: 8, Batch: 2, Rate: 1e-3, Seed: 7, SampleSteps: 2, Preserve: -1, DType: "f32", Export: "f32",
		Prompts: []string{"a {word} {class}", "a cat"}, Settings: map[string]string{"rank": "2"}}
}

// tensors reads all tensors of a file.
func tensors(t *testing.T, path string) map[string][]float32 {
	t.Helper()
	f, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string][]float32{}
	for _, name := range f.Names() {
		v, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = v.Floats()
	}
	return all
}

func ignore(engine.Event) {}

// TestResumedRunEqualsUninterruptedOne: 8 steps = 4 steps, stop, 4 more, bit for bit.
func TestResumedRunEqualsUninterruptedOne(t *testing.T) {
	eng := newEngine(t)
	images := pictures(t, 3)
	whole, err := eng.Train(context.Background(), tinyJob(t, images), ignore)
	if err != nil {
		t.Fatal(err)
	}

	job := tinyJob(t, images)
	absolute := job.Model
	t.Chdir(filepath.Dir(absolute))
	job.Model = filepath.Base(absolute) // the run records it absolute, as it is resumed with below
	ctx, stop := context.WithCancel(context.Background())
	stopped, err := eng.Train(ctx, job, func(e engine.Event) {
		if e.Step != nil && e.Step.Step == 4 {
			stop()
		}
	})
	if engine.KindOf(err) != engine.Cancelled {
		t.Fatalf("a stopped run returned %v", err)
	}
	if stopped.Checkpoint == "" || stopped.Run.Step != 4 {
		t.Fatalf("a stopped run left checkpoint %q at step %d, want one at 4", stopped.Checkpoint, stopped.Run.Step)
	}
	job.Resume, job.Model = true, absolute
	var steps []int
	resumed, err := eng.Train(context.Background(), job, func(e engine.Event) {
		if e.Step != nil {
			steps = append(steps, e.Step.Step)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{5, 6, 7, 8}, steps); diff != "" {
		t.Errorf("steps after resuming: %s", diff)
	}
	if diff := cmp.Diff(tensors(t, whole.Export), tensors(t, resumed.Export)); diff != "" {
		t.Errorf("the resumed run's file differs: %s", diff)
	}
	if diff := cmp.Diff(tensors(t, whole.Checkpoint), tensors(t, resumed.Checkpoint)); diff != "" {
		t.Errorf("the resumed run's checkpoint differs: %s", diff)
	}
	run, err := eng.OpenRun(context.Background(), job.Out)
	if err != nil {
		t.Fatal(err)
	}
	var rows []int
	for _, r := range run.Rows {
		rows = append(rows, r.Step)
	}
	if diff := cmp.Diff([]int{0, 2, 4, 6, 8}, rows); diff != "" || !run.Done {
		t.Errorf("rows of the resumed run (done %v): %s", run.Done, diff)
	}
}

func TestTrainingReportsAndLearns(t *testing.T) {
	eng := newEngine(t)
	job := tinyJob(t, pictures(t, 3))
	kinds := map[string]int{}
	result, err := eng.Train(context.Background(), job, func(e engine.Event) { kinds[e.Kind]++ })
	if err != nil {
		t.Fatal(err)
	}
	if kinds[engine.KindStep] != 8 || kinds[engine.KindGrid] != 5 || kinds[engine.KindCheckpoint] != 4 || kinds[engine.KindResult] != 1 {
		t.Errorf("events %v", kinds)
	}
	s := result.Summary
	if s.Parameters == 0 || s.FileBytes == 0 || s.WeightChange == 0 || s.Steps != 8 {
		t.Errorf("summary %+v", s)
	}
	info, err := eng.Inspect(context.Background(), result.Export)
	if err != nil {
		t.Fatal(err)
	}
	if info.Kind != "LoRA" || !cmp.Equal(info.Ranks, []int{2}) || info.Metadata["ss_output_name"] != "zorbit" {
		t.Errorf("the exported file is %+v", info)
	}
	for _, path := range []string{result.Grid, result.Export, result.Checkpoint} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestSampleIsAFunctionOfItsRequest(t *testing.T) {
	eng := newEngine(t)
	render := func(seed uint64, out string, change ...func(*engine.SampleRequest)) string {
		req := engine.SampleRequest{Model: golden.Path(t, "tiny-sd1"), Prompt: "a cat", Seed: seed,
			Steps: 3, Width: 64, Height: 32, Out: filepath.Join(t.TempDir(), out)}
		for _, c := range change {
			c(&req)
		}
		out = req.Out
		_, err := eng.Sample(context.Background(), req, ignore)
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	first := render(1, "a.png")
	if render(1, "b.png") != first {
		t.Error("the same request gave two pictures")
	}
	if render(2, "c.png") == first {
		t.Error("two seeds gave one picture")
	}
	own := golden.Path(t, "tiny-sd1", "tiny-sd1.safetensors")
	if render(1, "d.png", func(r *engine.SampleRequest) { r.VAE = own }) != first {
		t.Error("the model's own VAE out of another file gave another picture")
	}
	if render(1, "e.png", func(r *engine.SampleRequest) { r.Prediction = "epsilon" }) != first {
		t.Error("saying what the model predicts changed the picture")
	}
	if render(1, "f.png", func(r *engine.SampleRequest) { r.Prediction = "v" }) == first {
		t.Error("--prediction changed nothing")
	}
}

func TestMistakesAreNamed(t *testing.T) {
	eng := newEngine(t)
	images := pictures(t, 1)
	cases := []struct {
		name   string
		change func(*engine.Job)
		kind   engine.Kind
		says   string
	}{
		{"no model", func(j *engine.Job) { j.Model = "/nowhere" }, engine.NotFound, "/nowhere"},
		{"no checkpoint", func(j *engine.Job) { j.Model = golden.Path(t, "files", "lora.safetensors") }, engine.Unsupported, "this is a LoRA"},
		{"no VAE", func(j *engine.Job) { j.VAE = golden.Path(t, "files", "lora.safetensors") }, engine.Unsupported, "a VAE"},
		{"VAE of another shape", func(j *engine.Job) { j.VAE = golden.Path(t, "tiny-sd2", "tiny-sd2.safetensors") }, engine.BadFile, "widths"},
		{"prediction", func(j *engine.Job) { j.Prediction = "x0" }, engine.BadInput, "epsilon or v"},
		{"no pictures", func(j *engine.Job) { j.Images = t.TempDir() }, engine.BadInput, "picture"},
		{"no folder", func(j *engine.Job) { j.Images = "/nowhere" }, engine.NotFound, "/nowhere"},
		{"method", func(j *engine.Job) { j.Method = "magic" }, engine.BadInput, "magic"},
		{"rank", func(j *engine.Job) { j.Settings = map[string]string{"rank": "many"} }, engine.BadInput, "rank"},
		{"setting", func(j *engine.Job) { j.Settings = map[string]string{"colour": "red"} }, engine.BadInput, "colour"},
		{"optimizer", func(j *engine.Job) { j.Optimizer = "hope" }, engine.BadInput, "hope"},
		{"schedule", func(j *engine.Job) { j.Schedule = "hope" }, engine.BadInput, "hope"},
		{"dtype", func(j *engine.Job) { j.DType = "f8" }, engine.BadInput, "f8"},
		{"steps", func(j *engine.Job) { j.Steps = -1 }, engine.BadInput, "steps"},
		{"word", func(j *engine.Job) { j.Word = " " }, engine.BadInput, "word"},
		{"export", func(j *engine.Job) { j.Export = "f8" }, engine.BadInput, "f8"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			job := tinyJob(t, images)
			c.change(&job)
			_, err := eng.Train(context.Background(), job, ignore)
			if engine.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v of kind %v, want kind %v and the word %q", err, engine.KindOf(err), c.kind, c.says)
			}
		})
	}
}

// TestForeignLoRAIsRefused: a LoRA of another model is named, not silently left out.
func TestForeignLoRAIsRefused(t *testing.T) {
	eng := newEngine(t)
	req := engine.SampleRequest{Model: golden.Path(t, "tiny-sd1"), Prompt: "a cat", Steps: 1, Width: 64, Height: 64, Out: filepath.Join(t.TempDir(), "a.png"),
		Tuned: []engine.TunedFile{{Path: golden.Path(t, "tiny-sd2", "lora.safetensors"), Weight: 1}}}
	if _, err := eng.Sample(context.Background(), req, ignore); err == nil || !strings.Contains(err.Error(), "another model") {
		t.Errorf("error %v", err)
	}
}

// TestResumingWithOtherPicturesSaysSo: before anything takes time, and in words that help.
func TestResumingWithOtherPicturesSaysSo(t *testing.T) {
	eng := newEngine(t)
	job := tinyJob(t, pictures(t, 2))
	ctx, stop := context.WithCancel(context.Background())
	if _, err := eng.Train(ctx, job, func(e engine.Event) {
		if e.Step != nil {
			stop()
		}
	}); engine.KindOf(err) != engine.Cancelled {
		t.Fatalf("a stopped run returned %v", err)
	}
	caption := filepath.Join(job.Images, "a.txt")
	if err := os.WriteFile(caption, []byte("another caption"), 0o666); err != nil {
		t.Fatal(err)
	}
	job.Resume = true
	_, err := eng.Train(context.Background(), job, func(e engine.Event) {
		if e.Setup != nil && e.Setup.What == "latents" {
			t.Error("the pictures were encoded first")
		}
	})
	if engine.KindOf(err) != engine.BadInput || !strings.Contains(err.Error(), "captions have changed") {
		t.Errorf("error %v", err)
	}
}
