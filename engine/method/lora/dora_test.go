package lora_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/method/lora"
	"easel/engine/model"
)

// merged is an Adapter that puts the weights of a DoRA or LoRA into the model itself, by the formula in float64:
// W + weight·(magnitude·(W + ΔW)/‖W + ΔW‖ - W), the norm over the weights of each output.
type merged struct {
	model.Unchanged
	modules map[string]format.LoRAModule
	weight  float64
}

func (a merged) Weight(g *graph.Graph, w model.Weight) *graph.Node {
	prefix := map[model.Part]string{model.UNet: "lora_unet_", model.Text: "lora_te_"}[w.Part]
	m, ok := a.modules[format.KohyaName(prefix, strings.TrimSuffix(w.Name, ".weight"))]
	if !ok || !strings.HasSuffix(w.Name, ".weight") {
		return nil
	}
	sum := w.Tensor.Convert(kernel.F32)
	v, down, up, r := sum.F32(), m.Down.Floats(), m.Up.Floats(), m.Rank()
	in := len(down) / r
	for o := range w.Tensor.Shape[0] {
		row, square := make([]float64, in), 0.0
		for i := range row {
			row[i] = float64(v[o*in+i])
			for k := range r {
				row[i] += float64(m.Alpha) / float64(r) * float64(up[o*r+k]) * float64(down[k*in+i])
			}
			square += row[i] * row[i]
		}
		for i := range row {
			if m.Magnitude != nil {
				row[i] *= float64(m.Magnitude.F32()[o]) / math.Sqrt(square)
			}
			v[o*in+i] += float32(a.weight * (row[i] - float64(v[o*in+i])))
		}
	}
	return g.Constant(string(w.Part)+"."+w.Name, sum)
}

// trainedDoRA is one of all layers, and its file.
func trainedDoRA(t *testing.T) (method.Tuning, string) {
	t.Helper()
	tuning, err := startJob(t, engine.Job{Settings: map[string]string{"rank": "3", "alpha": "2", "targets": "all", "text-encoder": "on", "dora": "on"}})
	if err != nil {
		t.Fatal(err)
	}
	disturb(tuning)
	path := filepath.Join(t.TempDir(), "dora.safetensors")
	if err := tuning.Export(path, "kohya", method.About{}, kernel.F32); err != nil {
		t.Fatal(err)
	}
	return tuning, path
}

func TestDoRABeginsWithoutAnEffect(t *testing.T) {
	tuning, err := startJob(t, engine.Job{Settings: map[string]string{"targets": "all", "text-encoder": "on", "dora": "on"}})
	if err != nil {
		t.Fatal(err)
	}
	m, f := loadTiny(t), golden.Open(t, "files/lora.eps.safetensors")
	f.Check(t, "", "eps_base", predict(t, m, tuning, f))
	if change := tuning.WeightChange(); change > 1e-6 {
		t.Errorf("weight change %g before training", change)
	}
}

// TestDoRAIsTheFormula: while it trains, from its file, at part of its weight and in diffusers' names.
func TestDoRAIsTheFormula(t *testing.T) {
	tuning, path := trainedDoRA(t)
	m, f := loadTiny(t), golden.Open(t, "files/lora.eps.safetensors")
	whole := predict(t, m, merged{modules: readLoRA(t, path), weight: 1}, f)
	if distance(whole, f.Tensor("eps_base").F32()) < 0.01*distance(whole, make([]float32, len(whole))) {
		t.Fatal("the DoRA changes next to nothing")
	}
	same(t, "training", predict(t, m, tuning, f), whole, 1e-5)
	for _, weight := range []float64{1, 0.6, -0.5} {
		file, err := lora.Apply(m, path, weight)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the file", predict(t, m, file, f), predict(t, m, merged{modules: readLoRA(t, path), weight: weight}, f), 1e-5)
	}
	other := filepath.Join(t.TempDir(), "diffusers.safetensors")
	if err := tuning.Export(other, "diffusers", method.About{}, kernel.F32); err != nil {
		t.Fatal(err)
	}
	file, err := lora.Apply(m, other, 1)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "diffusers' form", predict(t, m, file, f), whole, 1e-5)
}

// TestDoRAChangeIsThatOfTheWeights compares WeightChange with the merged weights.
func TestDoRAChangeIsThatOfTheWeights(t *testing.T) {
	tuning, path := trainedDoRA(t)
	modules := readLoRA(t, path)
	m := loadTiny(t)
	layers, err := m.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var change, all float64
	g := graph.New()
	for _, l := range layers {
		n := merged{modules: modules, weight: 1}.Weight(g, model.Weight{Part: l.Part, Name: l.Module + ".weight", Tensor: l.Weight})
		if n == nil {
			continue
		}
		before, after := l.Weight.Floats(), g.Bound(n).Floats()
		d, a := distance(before, after), distance(before, make([]float32, len(before)))
		change, all = change+d*d, all+a*a
	}
	if want := math.Sqrt(change / all); math.Abs(tuning.WeightChange()-want) > 1e-5*want {
		t.Errorf("weight change %g, want %g", tuning.WeightChange(), want)
	}
}

// TestTrainingGoesOnWithADoRA as one, with all of its values.
func TestTrainingGoesOnWithADoRA(t *testing.T) {
	_, path := trainedDoRA(t)
	m, f := loadTiny(t), golden.Open(t, "files/lora.eps.safetensors")
	tuning, err := start(t, m, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the beginning", predict(t, m, tuning, f), predict(t, m, merged{modules: readLoRA(t, path), weight: 1}, f), 1e-5)
	if s := tuning.Settings(); s["dora"] != "on" {
		t.Errorf("settings %v", s)
	}
	if _, err := start(t, m, path, map[string]string{"dora": "off"}); engine.KindOf(err) != engine.BadInput {
		t.Errorf("--dora off: %v", err)
	}
}
