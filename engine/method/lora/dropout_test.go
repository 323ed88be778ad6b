package lora_test

import (
	"slices"
	"testing"

	"easel/engine"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/method"
	"easel/engine/model"
)

// through is what a tuned linear layer gives for rows of ones: 2 pictures of 40 tokens. Its own weight is zero; down is all
// 1/6, up the identity, so that the result is the inner values, each 1 without dropout.
func through(t *testing.T, tuning method.Tuning, layer model.Layer) []float32 {
	t.Helper()
	g := graph.New()
	x := g.Input("x", 2, 40, layer.Shape[1])
	y := tuning.After(g, layer, x, g.Linear(x, g.Constant("w", layer.Weight), nil, 1))
	for _, p := range tuning.Parameters() {
		clear(p.Value.F32())
		for i := range p.Value.F32() {
			if r := p.Value.Shape[1]; r == layer.Shape[1] {
				p.Value.F32()[i] = 1 / float32(layer.Shape[1])
			} else if i/r == i%r {
				p.Value.F32()[i] = 1
			}
		}
	}
	f, err := graph.NewFunction(g, ref.New(), []*graph.Node{x}, y, graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ones := kernel.New(kernel.F32, 2, 40, layer.Shape[1])
	for i := range ones.F32() {
		ones.F32()[i] = 1
	}
	out, err := f.Call(t.Context(), ones)
	if err != nil {
		t.Fatal(err)
	}
	return out.Floats()
}

const dropRank = 50

func dropping(t *testing.T, settings map[string]string) (method.Tuning, model.Layer) {
	t.Helper()
	settings["rank"] = "50"
	me, err := method.ByName("lora")
	if err != nil {
		t.Fatal(err)
	}
	tuning, err := me.Start(loadTiny(t), engine.Job{Seed: 3, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	return tuning, model.Layer{Part: model.UNet, Module: "mid_block.attentions.0.transformer_blocks.0.attn1.to_q", Shape: []int{dropRank, 6}, Weight: kernel.New(kernel.F32, dropRank, 6)}
}

// share is how many of the values are zero; all others must be alike.
func share(t *testing.T, values []float32, kept float32) float64 {
	t.Helper()
	zero := 0
	for _, v := range values {
		switch {
		case v == 0:
			zero++
		case v < kept*0.9999 || v > kept*1.0001:
			t.Fatalf("a value of %g, want 0 or %g", v, kept)
		}
	}
	return float64(zero) / float64(len(values))
}

// TestDropoutLeavesOutItsShare within a step and nothing outside, alike for the same step.
func TestDropoutLeavesOutItsShare(t *testing.T) {
	tuning, layer := dropping(t, map[string]string{"dropout": "0.2"})
	if out := share(t, through(t, tuning, layer), 1); out != 0 {
		t.Errorf("outside of a step %g is left out", out)
	}
	tuning.BeforeStep(5)
	first := through(t, tuning, layer)
	if out := share(t, first, 1/0.8); out < 0.17 || out > 0.23 {
		t.Errorf("%g is left out, want 0.2", out)
	}
	if !slices.Equal(first, through(t, tuning, layer)) {
		t.Error("the same step leaves out something else")
	}
	tuning.AfterStep(5)
	if out := share(t, through(t, tuning, layer), 1); out != 0 {
		t.Errorf("after the step %g is left out", out)
	}
	tuning.BeforeStep(6)
	if slices.Equal(first, through(t, tuning, layer)) {
		t.Error("another step leaves out the same")
	}
}

// TestRanksAreDroppedForWholePictures, others for another.
func TestRanksAreDroppedForWholePictures(t *testing.T) {
	tuning, layer := dropping(t, map[string]string{"rank-dropout": "0.5"})
	tuning.BeforeStep(0)
	values := through(t, tuning, layer)
	if out := share(t, values, 2); out < 0.3 || out > 0.7 {
		t.Errorf("%g is left out, want 0.5", out)
	}
	const picture = 40 * dropRank
	for i, v := range values {
		if v != values[i/picture*picture+i%dropRank] {
			t.Fatal("a rank is left out of a part of a picture")
		}
	}
	if slices.Equal(values[:dropRank], values[picture:picture+dropRank]) {
		t.Error("both pictures lose the same ranks")
	}
}

// TestLayersAreDroppedWhole, and not scaled up where they stay.
func TestLayersAreDroppedWhole(t *testing.T) {
	tuning, layer := dropping(t, map[string]string{"module-dropout": "0.3"})
	dropped := 0
	for step := range 100 {
		tuning.BeforeStep(step)
		switch out := share(t, through(t, tuning, layer), 1); out {
		case 1:
			dropped++
		case 0:
		default:
			t.Fatalf("step %d drops %g of the layer", step, out)
		}
	}
	if dropped < 15 || dropped > 45 {
		t.Errorf("dropped in %d steps of 100, want 30", dropped)
	}
}

// TestDropoutIsOffOutsideOfSteps in a whole model.
func TestDropoutIsOffOutsideOfSteps(t *testing.T) {
	f := golden.Open(t, "files/lora.eps.safetensors")
	m := loadTiny(t)
	tuning, err := start(t, m, golden.Path(t, "files", "lora.safetensors"), map[string]string{"dropout": "0.4", "rank-dropout": "0.1", "module-dropout": "0.2"})
	if err != nil {
		t.Fatal(err)
	}
	f.Check(t, "", "eps_lora", predict(t, m, tuning, f))
	tuning.BeforeStep(0)
	if within := predict(t, m, tuning, f); distance(within, f.Tensor("eps_lora").F32()) == 0 {
		t.Error("nothing is dropped within a step")
	}
}

func TestSharesThatCannotBe(t *testing.T) {
	for _, settings := range []map[string]string{{"dropout": "1"}, {"rank-dropout": "-0.1"}, {"module-dropout": "half"}, {"max-norm": "0"}} {
		if _, err := startJob(t, engine.Job{Settings: settings}); engine.KindOf(err) != engine.BadInput {
			t.Errorf("%v: %v", settings, err)
		}
	}
}
