package local_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/kernel/onednn"
	"easel/engine/local"
	"easel/engine/model"
)

// jobVariable holds the job that a child process trains, as JSON.
const jobVariable = "EASEL_TEST_JOB"

// trainAlone trains in a fresh process, so that its peak is the run's alone, and returns the plan and the measured peak.
func trainAlone(t *testing.T, job engine.Job) (engine.Plan, int64) {
	t.Helper()
	encoded, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestTrainsForItsParent$", "-test.v")
	child.Env = append(os.Environ(), jobVariable+"="+string(encoded), "GOMP_SPINCOUNT=1000")
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var plan engine.Plan
	line := regexp.MustCompile(`(?m)^peak (\d+) (.*)$`).FindSubmatch(out)
	if line == nil || json.Unmarshal(line[2], &plan) != nil {
		t.Fatalf("the child said %s", out)
	}
	peak, _ := strconv.ParseInt(string(line[1]), 10, 64)
	return plan, peak
}

// TestTrainsForItsParent is the child's side of trainAlone.
func TestTrainsForItsParent(t *testing.T) {
	encoded := os.Getenv(jobVariable)
	if encoded == "" {
		t.Skip("only in a child process")
	}
	var job engine.Job
	if err := json.Unmarshal([]byte(encoded), &job); err != nil {
		t.Fatal(err)
	}
	eng, err := local.New(local.Options{Threads: 2, Presets: shipped(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	if _, err := eng.Train(context.Background(), job, ignore); err != nil {
		t.Fatal(err)
	}
	run, err := eng.OpenRun(context.Background(), job.Out)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := json.Marshal(run.Job.Plan)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("peak %d %s\n", highWater(t), plan)
}

// highWater is the most memory that this process has had resident.
func highWater(t *testing.T) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("the system does not tell a process's peak memory")
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	n, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return n << 10
}

// randomModel writes a folder with a model of 256 px, whose UNet has the given widths.
func randomModel(t *testing.T, widths ...int) string {
	t.Helper()
	down, up := []string{"DownBlock2D"}, []string{"UpBlock2D"}
	for range widths[1:] {
		down, up = append(down, "CrossAttnDownBlock2D"), append([]string{"CrossAttnUpBlock2D"}, up...)
	}
	config := map[model.Part]any{
		model.UNet: map[string]any{"act_fn": "silu", "norm_eps": 1e-5, "sample_size": 32, "in_channels": 4, "out_channels": 4, "down_block_types": down,
			"up_block_types": up, "block_out_channels": widths, "layers_per_block": 1, "norm_num_groups": 16, "cross_attention_dim": 128, "attention_head_dim": 4,
			"flip_sin_to_cos": true, "freq_shift": 0, "downsample_padding": 1, "mid_block_scale_factor": 1, "center_input_sample": false},
		model.Text: map[string]any{"vocab_size": 49408, "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 1, "num_attention_heads": 2,
			"max_position_embeddings": 77, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5},
		model.VAE: map[string]any{"act_fn": "silu", "block_out_channels": []int{32, 64, 64, 64}, "in_channels": 3, "out_channels": 3, "latent_channels": 4,
			"down_block_types": slices.Repeat([]string{"DownEncoderBlock2D"}, 4), "up_block_types": slices.Repeat([]string{"UpDecoderBlock2D"}, 4),
			"layers_per_block": 1, "norm_num_groups": 16, "scaling_factor": 0.18215},
	}
	dir := t.TempDir()
	write := func(name string, v any) []byte {
		text, err := json.Marshal(v)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	write("model_index.json", map[string]any{"_class_name": "StableDiffusionPipeline", "unet": []string{"diffusers", "UNet2DConditionModel"},
		"vae": []string{"diffusers", "AutoencoderKL"}, "text_encoder": []string{"transformers", "CLIPTextModel"}})
	scheduler := write("scheduler/scheduler_config.json", map[string]any{"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
		"num_train_timesteps": 1000, "prediction_type": "epsilon"})
	unet, err := model.ParseUNetConfig(write("unet/config.json", config[model.UNet]))
	if err != nil {
		t.Fatal(err)
	}
	text, err := model.ParseTextConfig(write("text_encoder/config.json", config[model.Text]))
	if err != nil {
		t.Fatal(err)
	}
	vae, err := model.ParseVAEConfig(write("vae/config.json", config[model.VAE]))
	if err != nil {
		t.Fatal(err)
	}
	for part, file := range map[model.Part]string{model.UNet: "diffusion_pytorch_model", model.Text: "model", model.VAE: "diffusion_pytorch_model"} {
		r := recorder{model.NewRandom(kernel.F32), map[string]*kernel.Tensor{}}
		m := model.New(unet, text, vae, scheduler, r)
		g := graph.New()
		switch part {
		case model.UNet:
			m.BuildUNet(g, nil, g.Input("x", 1, 32, 32, 4), g.Input("t", 1), g.Input("c", 1, model.Tokens, 128))
		case model.Text:
			m.BuildText(g, nil, g.Indices("ids", 1, model.Tokens), 1)
		case model.VAE:
			m.BuildEncoder(g, g.Input("image", 1, 64, 64, 3))
			m.BuildDecoder(g, g.Input("z", 1, 8, 8, 4))
		}
		if err := g.Err(); err != nil {
			t.Fatal(err)
		}
		var tensors []format.Named
		for _, name := range slices.Sorted(maps.Keys(r.seen)) {
			tensors = append(tensors, format.Named{Name: name, Tensor: r.seen[name]})
		}
		if err := format.Write(filepath.Join(dir, string(part), file+".safetensors"), tensors, nil); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// recorder remembers the weights that builders ask for.
type recorder struct {
	model.Weights
	seen map[string]*kernel.Tensor
}

func (r recorder) Tensor(name string, shape ...int) (*kernel.Tensor, error) {
	w, err := r.Weights.Tensor(name, shape...)
	r.seen[name] = w
	return w, err
}

// TestPeakIsPredicted compares what a plan promises with what fresh processes took at most.
func TestPeakIsPredicted(t *testing.T) {
	if !onednn.Available() || testing.Short() || raceDetector {
		t.Skip("needs the fast backend, half a minute, and memory without the race detector's shadows")
	}
	images := pictures(t, 2)
	wide, deep := randomModel(t, 192, 384, 512), randomModel(t, 64, 128, 256, 256)
	for name, change := range map[string]func(*engine.Job){
		"builtin":          func(j *engine.Job) { j.Model = "builtin" },
		"builtin, one row": func(j *engine.Job) { j.Model, j.Batch, j.Preserve = "builtin", 1, -1 },
		"wide, f32":        func(j *engine.Job) { j.Model = wide },
		"wide, bf16":       func(j *engine.Job) { j.Model, j.DType = wide, "bf16" },
		"wide, streamed":   func(j *engine.Job) { j.Model, j.Memory = wide, 200e6 },
		"deep, batch of 4": func(j *engine.Job) { j.Model, j.Batch = deep, 4 },
	} {
		t.Run(name, func(t *testing.T) {
			job := engine.Job{Method: "lora", Images: images, Word: "zorbit", Class: "toy", Out: filepath.Join(t.TempDir(), "out"), Steps: 2, Batch: 1,
				SampleSteps: 1, DType: "f32", Preserve: -1, Prompts: []string{"a {word}", "a cat"}, Settings: map[string]string{"rank": "8", "text-encoder": "off"}}
			change(&job)
			plan, peak := trainAlone(t, job)
			off := float64(plan.Peak-peak) / float64(peak)
			t.Logf("predicted %.0f MB, took %.0f MB (%+.1f %%): %s", float64(plan.Peak)/1e6, float64(peak)/1e6, 100*off, plan.Why)
			if off < -0.1 || off > 0.1 {
				t.Errorf("%.0f MB were predicted, %.0f MB taken", float64(plan.Peak)/1e6, float64(peak)/1e6)
			}
		})
	}
}
