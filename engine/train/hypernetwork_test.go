package train_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/method"
	_ "easel/engine/method/hypernetwork"
	"easel/engine/optim"
	"easel/engine/train"
)

// TestHypernetworksAgainstGolden makes the reference's three steps and compares losses, gradients and trained values.
// (The README of golden calls A1111's kind A, the weight generator B.)
func TestHypernetworksAgainstGolden(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"hyper_a_linear":        {"kind": "classic"},
		"hyper_a_linear_nobias": {"kind": "classic", "bias": "off"},
		"hyper_a_swish":         {"kind": "classic", "activation": "swish", "widths": "12,16"},
		"hyper_b":               {"kind": "generator", "basis": "8,4", "rank": "1", "embedding": "10", "hidden": "24", "text-encoder": "off"},
	} {
		for _, v := range []struct {
			name string
			b    kernel.Backend
			o    graph.Options
		}{{"ref", ref.New(), graph.Options{}}, {"fast", fast(t), graph.Options{}},
			{"recompute cheap", fast(t), graph.Options{Recompute: graph.Cheap}}, {"recompute most", fast(t), graph.Options{Recompute: graph.MostRecompute}}} {
			t.Run(name+" "+v.name, func(t *testing.T) {
				skipTwin(t, v.name)
				f := golden.Open(t, "train/"+name+".safetensors")
				compareSteps(t, f, goldenTrainer(t, f, "hypernetwork", settings, v.b, v.o))
			})
		}
	}
}

// goldenTrainer makes a trainer of any method with the numbers in the metadata of a golden file.
func goldenTrainer(t *testing.T, f *golden.File, name string, settings map[string]string, b kernel.Backend, o graph.Options) *train.Trainer {
	t.Helper()
	m := loadTiny(t)
	me, err := method.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	tuning, err := me.Start(m, engine.Job{Seed: 42, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := diffusion.ParseSchedule(m.Scheduler)
	if err != nil {
		t.Fatal(err)
	}
	number := func(name string) float64 {
		n, err := strconv.ParseFloat(f.Meta()[name], 64)
		if err != nil {
			t.Fatalf("metadata %s: %v", name, err)
		}
		return n
	}
	constant, err := optim.NewRateSchedule("constant", number("lr"), 0)
	if err != nil {
		t.Fatal(err)
	}
	var betas [2]float64
	if err := json.Unmarshal([]byte(f.Meta()["betas"]), &betas); err != nil {
		t.Fatal(err)
	}
	optimizer := adamW(t, func(s *optim.Settings) {
		s.Beta1, s.Beta2, s.Eps, s.WeightDecay = betas[0], betas[1], number("eps"), number("weight_decay")
	})
	tr := train.New(train.Config{Model: m, Tuning: tuning, Backend: b, Schedule: schedule, Weighting: diffusion.Uniform{},
		Optimizer: optimizer, Rate: constant, Steps: 100, ClipNorm: number("clip_norm"), Options: o})
	t.Cleanup(func() { tr.Close() })
	return tr
}
