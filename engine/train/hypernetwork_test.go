package train_test

import (
	"testing"

	"easel/engine"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	_ "easel/engine/method/hypernetwork"
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
				compareSteps(t, f, goldenTrainer(t, f, loadTiny(t), "hypernetwork", engine.Job{Seed: 42, Settings: settings}, v.b, v.o))
			})
		}
	}
}
