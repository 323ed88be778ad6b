package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"easel/engine"
)

var zorbit = []string{"train", "--images", "pictures", "--word", "zorbit", "--class", "monster toy", "--out", "out dir"}

func TestTrainFlagsBecomeAJob(t *testing.T) {
	base := engine.Job{Method: "lora", Model: "builtin", Images: "pictures", Word: "zorbit", Class: "monster toy", Out: "out dir"}
	all := base
	all.VAE, all.Prediction, all.From = "v.pt", "v", "start.safetensors"
	all.Model, all.Steps, all.Batch, all.Resolution, all.Seed = "m", 40, 4, 128, 7
	all.Optimizer, all.Rate, all.Schedule, all.Warmup, all.MinSNR = "prodigy", 1, "cosine", 5, 5
	all.Accumulate, all.Cycles, all.Power, all.ClipNorm = 3, 2, 1.5, 0.5
	all.Loss = engine.Loss{Kind: "huber", HuberC: 0.2, HuberSchedule: "constant", Debiased: true, Masked: true}
	all.Noise = engine.Noise{Offset: 0.05, Pyramid: 0.3, Perturb: 0.1, From: 10, To: 900, Timesteps: "logit_normal", Bias: -0.5}
	all.Captions = engine.Captions{Dropout: 0.1, Shuffle: true, Keep: 1, Templates: []string{"{caption}", "{word}"}}
	all.Views = engine.Views{Flip: true, Crops: 4, HoldOut: 1}
	all.Prompts, all.SampleSteps, all.Guidance = []string{"a {word}", "b"}, 20, 4.5
	all.DType, all.Export = "bf16", "f32"
	all.Settings = map[string]string{"rank": "16", "targets": "attention"}
	other := base
	other.Method, other.Settings = "other", map[string]string{"depth": "3", "targets": "trunk"}
	for name, c := range map[string]struct {
		args string
		want engine.Job
	}{
		"fewest": {"", base},
		"all": {"--method lora --model m --vae v.pt --prediction v --steps 40 --batch 4 --resolution 128 --seed 7 --optimizer prodigy --rate 1 --schedule cosine" +
			" --warmup 5 --min-snr 5 --sample-steps 20 --guidance 4.5 --dtype bf16 --export f32 --from start.safetensors --rank 16 --targets attention --prompt b" +
			" --accumulate 3 --cycles 2 --power 1.5 --clip 0.5 --loss huber --huber-c 0.2 --huber-schedule constant --debiased --masked" +
			" --noise-offset 0.05 --noise-pyramid 0.3 --noise-perturb 0.1 --timestep-from 10 --timestep-to 900 --timesteps logit_normal --timestep-bias -0.5" +
			" --caption-dropout 0.1 --caption-shuffle --caption-keep 1 --caption-template {caption} --caption-template {word} --flip --crops 4 --hold-out 1", all},
		"another method": {"--method other --depth 3 --targets trunk", other},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{}, zorbit...)
			if name == "all" {
				args = append(args, "--prompt", "a {word}")
			}
			eng := &fakeEngine{}
			if code, _, stderr := easel(t, eng, false, append(args, strings.Fields(c.args)...)...); code != 0 {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			if diff := cmp.Diff(c.want, eng.job, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestThreadsReachTheEngine(t *testing.T) {
	eng := &fakeEngine{}
	easel(t, eng, false, append(zorbit, "--threads", "3")...)
	if n := len(eng.made); n == 0 || eng.made[n-1] != (power{3, true}) {
		t.Errorf("engines were made with %v", eng.made)
	}
}

func TestResumeTakesTheRecordedJob(t *testing.T) {
	recorded := engine.Job{
		Method: "other", Model: "m", Images: "/p", Word: "zorbit", Steps: 100, Batch: 4, Out: "/old place",
		Prompts: []string{"one", "two"}, Settings: map[string]string{"rank": "4", "depth": "2"},
	}
	eng := &fakeEngine{recorded: engine.Run{Job: recorded}}
	code, _, stderr := easel(t, eng, false, strings.Fields("train --resume --out p --steps 200 --rank 6 --prompt three")...)
	if code != 0 {
		t.Fatal(stderr)
	}
	want := recorded
	want.Resume, want.Out, want.Steps, want.Prompts = true, "p", 200, []string{"three"}
	want.Settings = map[string]string{"rank": "6", "depth": "2"}
	if diff := cmp.Diff(want, eng.job); diff != "" {
		t.Error(diff)
	}
}

func TestSampleFlagsBecomeARequest(t *testing.T) {
	eng := &fakeEngine{}
	code, stdout, _ := easel(t, eng, false, "sample", "--model", "m", "--lora", "a.safetensors:0.8", "--lora", `C:\b.safetensors`, "--lora", "c:x:-1",
		"--prompt", "a zorbit", "--negative", "fog", "--sampler", "euler", "--steps", "9", "--guidance", "2", "--seed", "5", "--width", "64",
		"--height", "96", "--dtype", "f32", "--out", "o.png")
	want := engine.SampleRequest{
		Model: "m", Prompt: "a zorbit", Negative: "fog", Sampler: "euler", Steps: 9, Guidance: 2, Seed: 5, Width: 64, Height: 96,
		Out: "o.png", DType: "f32", Tuned: []engine.TunedFile{{Path: "a.safetensors", Weight: 0.8}, {Path: `C:\b.safetensors`, Weight: 1}, {Path: "c:x", Weight: -1}},
	}
	if diff := cmp.Diff(want, eng.request); diff != "" {
		t.Error(diff)
	}
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	wantText(t, stdout, "picture     o.png (seed 5)\n")
}

func TestUsageErrors(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"trian", `"trian"`},
		{"help me", `"me"`},
		{"train --word w --out o", "--images is missing"},
		{"train --images i --out o", "--word is missing"},
		{"train --images i --word w", "--out is missing"},
		{"train --resume", "--out is missing"},
		{"train --steps many", "-steps"},
		{"train --colour red", "-colour"},
		{"train stray", `"stray"`},
		{"train --images i --word w --out o --targets legs", "choose from all, attention"},
		{"train --images i --word w --out o --depth 3", "--depth is no setting of method lora"},
		{"train --images i --word w --out o --method magic", "there are: lora, other"},
		{"sample --prompt p", "--out is missing"},
		{"sample --lora :0.5 --out o", "name a file"},
		{"sample --lora a:NaN --out o", "finite"},
		{"sample --lora main.go:strong --out o", `"strong" behind it is no number`},
		{"caption", "missing"},
		{"caption a b", `"b"`},
		{"merge --out o", "--lora is missing"},
		{"merge --lora a", "--out is missing"},
		{"inspect", "missing"},
		{"inspect a b", `"b"`},
		{"version 2", `"2"`},
	} {
		code, stdout, stderr := easel(t, &fakeEngine{}, false, strings.Fields(c.args)...)
		if code != 2 || stdout != "" || !strings.HasPrefix(stderr, "easel: ") || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("easel %s: code %d, stdout %q, stderr %q; want 2 and one line with %q", c.args, code, stdout, stderr, c.want)
		}
	}
}

func TestEngineErrorsAreOneLine(t *testing.T) {
	eng := &fakeEngine{err: engine.Errorf("read pictures", "pictures", engine.NotFound, "no such folder;\nname another")}
	for _, args := range [][]string{zorbit, {"inspect", "x"}, {"merge", "--lora", "a", "--out", "o"}, {"caption", "d"}, {"bench"}} {
		code, _, stderr := easel(t, eng, false, args...)
		if want := "easel: read pictures pictures: no such folder;; name another\n"; code != 1 || stderr != want {
			t.Errorf("%s: code %d, %q, want %q", args[0], code, stderr, want)
		}
	}
}

func TestAnEngineThatCannotStart(t *testing.T) {
	var stderr strings.Builder
	p := &program{out: &strings.Builder{}, err: &stderr, newEngine: func(power) (engine.Engine, error) { return nil, errors.New("no engine") }}
	if code := p.main(t.Context(), []string{"bench"}); code != 1 || stderr.String() != "easel: no engine\n" {
		t.Errorf("code %d, %q", code, stderr.String())
	}
}

func TestCtrlCSaysHowToGoOn(t *testing.T) {
	eng := &fakeEngine{
		err:    engine.Errorf("train", "", engine.Cancelled, "stopped"),
		result: engine.Result{Checkpoint: "out dir/c.safetensors", Run: engine.Run{Step: 12}},
	}
	code, stdout, _ := easel(t, eng, false, zorbit...)
	if code != 130 {
		t.Errorf("exit code %d", code)
	}
	wantText(t, stdout, "stopped after step 12\ncheckpoint  out dir/c.safetensors\ngo on with  easel train --resume --out 'out dir'\n")
	eng.result = engine.Result{}
	if code, stdout, _ = easel(t, eng, false, zorbit...); code != 130 || !strings.Contains(stdout, "before there was anything to keep") {
		t.Errorf("code %d, %q", code, stdout)
	}
}

func TestHelpNamesEveryFlag(t *testing.T) {
	for _, c := range commands() {
		for _, args := range [][]string{{"help", c.name}, {c.name, "-h"}} {
			code, stdout, stderr := easel(t, &fakeEngine{}, false, args...)
			if code != 0 || stderr != "" || !strings.Contains(stdout, "easel "+c.name) || !strings.Contains(stdout, c.summary) {
				t.Errorf("easel %s: code %d, %q, %q", strings.Join(args, " "), code, stdout, stderr)
			}
			// PrintDefaults puts each flag on a line and its help below: a flag without help has an empty line there.
			if strings.Contains(stdout, "    \t\n") {
				t.Errorf("easel %s has a flag without help:\n%s", c.name, stdout)
			}
		}
	}
	_, stdout, _ := easel(t, &fakeEngine{}, false, "train", "-h")
	for _, want := range []string{"-rank value\n    \tlora, other: width of the inserted layers (default 8)", "-depth value\n    \tother: layers deep", "lora: layers (all, attention) (default all)\n    \tother: parts\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the help of train lacks %q:\n%s", want, stdout)
		}
	}
}

func TestWindowCommands(t *testing.T) {
	dir := t.TempDir()
	project, err := filepath.Abs("p")
	if err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{"": nil, dir: {dir}, project + ", " + dir: {"gui", "p", dir}, project: {"gui", "p"}} {
		if code, stdout, stderr := easel(t, &fakeEngine{}, false, args...); code != 0 || stdout != "window of "+want {
			t.Errorf("easel %v: code %d, %q, %q", args, code, stdout, stderr)
		}
	}
}

func TestVersionIsThatOfThePackage(t *testing.T) {
	var manifest struct {
		Details struct{ Version, Icon string }
	}
	if _, err := toml.DecodeFile("FyneApp.toml", &manifest); err != nil {
		t.Fatal(err)
	}
	_, stdout, _ := easel(t, &fakeEngine{}, false, "version")
	if !strings.HasPrefix(stdout, "easel "+manifest.Details.Version) {
		t.Errorf("easel version prints %q, FyneApp.toml says %s", stdout, manifest.Details.Version)
	}
	if _, err := os.Stat(manifest.Details.Icon); err != nil {
		t.Error(err)
	}
}
