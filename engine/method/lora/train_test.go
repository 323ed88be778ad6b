package lora_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/onednn"
	"easel/engine/kernel/ref"
	"easel/engine/method"
	"easel/engine/optim"
	"easel/engine/train"
)

// trained makes some steps on golden's inputs and returns their losses.
func trained(t *testing.T, b kernel.Backend, steps int, settings map[string]string) (method.Tuning, []float64) {
	t.Helper()
	m := loadTiny(t)
	me, err := method.ByName("lora")
	if err != nil {
		t.Fatal(err)
	}
	tuning, err := me.Start(m, engine.Job{Seed: 1, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := diffusion.ParseSchedule(m.Scheduler)
	if err != nil {
		t.Fatal(err)
	}
	defaults, err := optim.Defaults("adamw")
	if err != nil {
		t.Fatal(err)
	}
	optimizer, err := optim.New("adamw", defaults)
	if err != nil {
		t.Fatal(err)
	}
	rate, err := optim.NewRateSchedule("constant", 5e-3, 0)
	if err != nil {
		t.Fatal(err)
	}
	tr := train.New(train.Config{Model: m, Tuning: tuning, Backend: b, Schedule: schedule, Weighting: diffusion.Uniform{},
		Optimizer: optimizer, Rate: rate, Steps: steps, ClipNorm: 1, Options: graph.Options{}})
	t.Cleanup(func() { tr.Close() })
	f := golden.Open(t, "files/lora.eps.safetensors")
	x := f.Tensor("in/x")
	latents := kernel.New(kernel.F32, x.Shape[0], x.Shape[2], x.Shape[3], x.Shape[1])
	eachPixel(x.Shape[0], x.Shape[1], x.Shape[2]*x.Shape[3], func(first, last int) { latents.F32()[last] = x.F32()[first] })
	batch := train.Batch{Latents: latents, Noise: latents.Clone(), Timesteps: make([]int, x.Shape[0]), IDs: kernel.New(kernel.I32, x.Shape[0], 77)}
	for i := range batch.Timesteps {
		batch.Timesteps[i] = 300
	}
	var losses []float64
	for step := range steps {
		r, err := tr.Step(context.Background(), step, batch)
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, r.Loss)
	}
	return tuning, losses
}

// fast is the fastest backend of this build.
func fast(t *testing.T) kernel.Backend {
	t.Helper()
	if !onednn.Available() {
		return ref.New()
	}
	b, err := onednn.New(onednn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// TestDoRAIsAlikeOnEachBackend: losses, which the steps before decide.
func TestDoRAIsAlikeOnEachBackend(t *testing.T) {
	if !onednn.Available() {
		t.Skip("this build has no other backend than ref")
	}
	settings := map[string]string{"dora": "on", "targets": "all", "text-encoder": "on", "rank": "3", "dropout": "0.1"}
	_, want := trained(t, ref.New(), 2, settings)
	_, got := trained(t, fast(t), 2, settings)
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-4, 0)); diff != "" {
		t.Error(diff)
	}
}

// TestNormsAreHeld: no weight change grows beyond the largest norm, by the dense product.
func TestNormsAreHeld(t *testing.T) {
	const most = 0.02
	largest := func(settings map[string]string) (largest float64) {
		settings["targets"], settings["text-encoder"], settings["rank"], settings["alpha"] = "attention", "on", "3", "2"
		tuning, _ := trained(t, fast(t), 3, settings)
		ps := tuning.Parameters()
		for i := 0; i < len(ps); i += 2 {
			largest = max(largest, dense(ps[i].Value, ps[i+1].Value, 2.0/3))
		}
		return largest
	}
	if free := largest(map[string]string{}); free < 2*most {
		t.Fatalf("norms grow to %g by themselves, which tells nothing", free)
	}
	if held := largest(map[string]string{"max-norm": "0.02"}); held > most*1.0001 || held < most*0.9 {
		t.Errorf("the largest norm is %g, want %g", held, most)
	}
}

// dense is ‖scale·up·down‖.
func dense(down, up *kernel.Tensor, scale float64) float64 {
	r := down.Shape[0]
	in, sum := down.Len()/r, 0.0
	for o := range up.Shape[0] {
		for i := range in {
			v := 0.0
			for k := range r {
				v += float64(up.F32()[o*r+k]) * float64(down.F32()[k*in+i])
			}
			sum += v * v
		}
	}
	return scale * math.Sqrt(sum)
}

// TestEveryWayTrains: the loss falls, and a DoRA's magnitudes move with the rest.
func TestEveryWayTrains(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"DoRA":    {"dora": "on", "lora-plus": "4"},
		"dropout": {"dropout": "0.1", "rank-dropout": "0.1", "module-dropout": "0.1"},
		"blocks":  {"block-ranks": "down=2,up=6", "rs-lora": "on", "text-rate": "50%"},
	} {
		t.Run(name, func(t *testing.T) {
			settings["targets"], settings["text-encoder"], settings["rank"] = "all", "on", "4"
			tuning, losses := trained(t, fast(t), 4, settings)
			if last := losses[len(losses)-1]; !(last < 0.9*losses[0]) {
				t.Errorf("losses %v do not fall", losses)
			}
			fresh, err := startJob(t, engine.Job{Seed: 1, Settings: settings})
			if err != nil {
				t.Fatal(err)
			}
			before, moved := map[string]*kernel.Tensor{}, 0
			for _, p := range fresh.Parameters() {
				before[p.Name] = p.Value
			}
			for _, p := range tuning.Parameters() {
				if strings.HasSuffix(p.Name, ".dora_scale") && distance(p.Value.F32(), before[p.Name].F32()) > 0 {
					moved++
				}
			}
			if (moved > 0) != (name == "DoRA") {
				t.Errorf("%d magnitudes moved", moved)
			}
		})
	}
}
