package dreambooth_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/method"
	_ "easel/engine/method/dreambooth"
	_ "easel/engine/method/lora" // reads LoRA files
	"easel/engine/model"
)

// models are the tiny model as a folder and as a single file.
func models(t *testing.T) map[string]*model.Model {
	t.Helper()
	dir := golden.Path(t, "tiny-sd1")
	all := map[string]*model.Model{}
	for name, path := range map[string]string{"folder": dir, "file": filepath.Join(dir, "tiny-sd1.safetensors")} {
		m, err := model.Open(path, model.Options{Configs: os.DirFS(dir)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		all[name] = m
	}
	return all
}

func dreamBooth(t *testing.T) method.Method {
	t.Helper()
	me, err := method.ByName("dreambooth")
	if err != nil {
		t.Fatal(err)
	}
	return me
}

// trained is a tuning whose weights have moved, each by a different rank-one matrix.
func trained(t *testing.T, m *model.Model, settings map[string]string) method.Tuning {
	t.Helper()
	tuning, err := dreamBooth(t).Start(m, engine.Job{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	build(t, m, tuning)
	for k, p := range tuning.Parameters() {
		v, columns := p.Value.F32(), p.Value.Len()/p.Value.Shape[0]
		for i := range v {
			v[i] += 0.02 * float32(math.Sin(float64(k+i/columns))*math.Cos(float64(2*k+i%columns)))
		}
	}
	return tuning
}

// build makes a tuning's parameters known.
func build(t *testing.T, m *model.Model, a model.Adapter) {
	t.Helper()
	g := graph.New()
	m.BuildUNet(g, a, g.Input("x", 1, 8, 8, 4), g.Input("t", 1), m.BuildText(g, a, g.Indices("ids", 1, model.Tokens), 1))
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
}

// predict is what a model makes of some latent and prompt.
func predict(t *testing.T, m *model.Model, a model.Adapter) []float32 {
	t.Helper()
	return call(t, m, func(g *graph.Graph, x, at, ids *graph.Node) *graph.Node {
		return m.BuildUNet(g, a, x, at, m.BuildText(g, a, ids, 1))
	})
}

// features are what the untrained UNet sees.
func features(t *testing.T, m *model.Model) []float32 {
	t.Helper()
	return call(t, m, func(g *graph.Graph, x, at, ids *graph.Node) *graph.Node {
		return m.BuildFeatures(g, x, at, m.BuildText(g, m.Untrained(), ids, 1))
	})
}

// call runs a graph on fixed inputs.
func call(t *testing.T, m *model.Model, build func(g *graph.Graph, x, at, ids *graph.Node) *graph.Node) []float32 {
	t.Helper()
	g := graph.New()
	in := []*graph.Node{g.Input("x", 1, 8, 8, 4), g.Input("t", 1), g.Indices("ids", 1, model.Tokens)}
	f, err := graph.NewFunction(g, ref.New(), in, build(g, in[0], in[1], in[2]), graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x := kernel.New(kernel.F32, 1, 8, 8, 4)
	for i := range x.F32() {
		x.F32()[i] = float32(math.Sin(float64(i)))
	}
	out, err := f.Call(t.Context(), x, kernel.FromF32([]float32{300}, 1), m.IDs("a cat"))
	if err != nil {
		t.Fatal(err)
	}
	return out.F32()
}

// distance is the largest difference, as a share of the largest value.
func distance(a, b []float32) float64 {
	var d, largest float64
	for i := range a {
		d, largest = max(d, math.Abs(float64(a[i]-b[i]))), max(largest, math.Abs(float64(b[i])))
	}
	return d / largest
}

// TestFilesHaveTheEffectOfTheTrainedModel: each form, applied to the untrained model, predicts what the trained one does,
// and so does the written model itself, opened.
func TestFilesHaveTheEffectOfTheTrainedModel(t *testing.T) {
	for name, m := range models(t) {
		base := predict(t, m, nil)
		tuning := trained(t, m, map[string]string{"text-encoder": "on"})
		want := predict(t, m, tuning)
		if d := distance(base, want); d < 0.01 {
			t.Fatalf("training moved the prediction by %g only", d)
		}
		for _, form := range []string{"checkpoint", "diffusers"} {
			if form == "diffusers" && !m.IsFolder() {
				continue
			}
			path := filepath.Join(t.TempDir(), "zorbit")
			if form == "checkpoint" {
				path += ".safetensors"
			}
			if err := tuning.Export(path, form, method.About{}, kernel.F32); err != nil {
				t.Fatalf("%s %s: %v", name, form, err)
			}
			fresh := models(t)[name]
			applied, err := method.Apply(fresh, path, 1)
			if err != nil {
				t.Fatalf("%s %s: %v", name, form, err)
			}
			if d := distance(predict(t, fresh, applied), want); d > 1e-6 {
				t.Errorf("%s %s: the file's prediction is off by %g", name, form, d)
			}
			half, err := method.Apply(fresh, path, 0)
			if err != nil {
				t.Fatal(err)
			}
			if d := distance(predict(t, fresh, half), base); d > 1e-6 {
				t.Errorf("%s %s: with a weight of 0 the prediction is off by %g", name, form, d)
			}
			opened, err := model.Open(path, model.Options{Configs: os.DirFS(golden.Path(t, "tiny-sd1"))})
			if err != nil {
				t.Fatalf("%s %s: %v", name, form, err)
			}
			if d := distance(predict(t, opened, nil), want); d > 1e-6 {
				t.Errorf("%s %s: the written model's prediction is off by %g", name, form, d)
			}
			opened.Close()
		}
	}
}

// TestCheckpointHoldsTheWholeModel, in the names and shapes of an original file.
func TestCheckpointHoldsTheWholeModel(t *testing.T) {
	original, err := format.Open(golden.Path(t, "tiny-sd1", "tiny-sd1.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer original.Close()
	want := map[string][]int{}
	for _, name := range original.Names() {
		if len(format.Refs(name)) > 0 {
			_, want[name], _ = original.Info(name)
		}
	}
	for name, m := range models(t) {
		path := filepath.Join(t.TempDir(), "zorbit.safetensors")
		if err := trained(t, m, nil).Export(path, "checkpoint", method.About{}, kernel.F16); err != nil {
			t.Fatal(err)
		}
		f, err := format.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][]int{}
		for _, own := range f.Names() {
			dtype, shape, _ := f.Info(own)
			if len(format.Refs(own)) > 0 {
				got[own] = shape
				if dtype != "F16" {
					t.Errorf("%s: %s is of type %s", name, own, dtype)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		size := method.FileBytes(trained(t, m, nil), kernel.F16)
		if info, err := os.Stat(path); err != nil || math.Abs(float64(info.Size()-size)) > 0.1*float64(size) { // the header is much, in so small a file
			t.Errorf("%s: %d bytes were expected, the file has %d", name, size, info.Size())
		}
		if f.Metadata()["modelspec.architecture"] != "stable-diffusion-v1" {
			t.Errorf("%s: metadata %v", name, f.Metadata())
		}
		f.Close()
	}
}

// TestLoRAOfTheChange: where the layers' change is of low rank, the LoRA holds it, and what it cannot hold is in the error.
func TestLoRAOfTheChange(t *testing.T) {
	for name, m := range models(t) {
		tuning := trained(t, m, map[string]string{"train": "attention", "lora-rank": "2", "text-encoder": "off"})
		want := predict(t, m, tuning)
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := tuning.Export(path, "lora", method.About{}, kernel.F32); err != nil {
			t.Fatal(err)
		}
		remark := tuning.(method.Remarker).Remark()
		if !strings.HasPrefix(remark, "rank 2 holds the change of the weights with a relative error of 0.") {
			t.Errorf("%s: remark %q", name, remark) // the biases of to_out are lost
		}
		base := models(t)[name]
		applied, err := method.Apply(base, path, 1)
		if err != nil {
			t.Fatal(err)
		}
		if off, whole := distance(predict(t, base, applied), want), distance(predict(t, base, nil), want); off > whole/4 {
			t.Errorf("%s: with the LoRA the prediction is off by %g, without by %g", name, off, whole)
		}
	}
}

func TestSettingsThatCannotBeUsedAreNamed(t *testing.T) {
	file := models(t)["file"]
	for _, c := range []struct {
		job  engine.Job
		says string
	}{
		{engine.Job{Settings: map[string]string{"train": "everything"}}, "train cannot be"},
		{engine.Job{Settings: map[string]string{"lora-rank": "0"}}, "lora-rank"},
		{engine.Job{Settings: map[string]string{"rank": "4"}}, "no setting"},
		{engine.Job{Settings: map[string]string{"text-until": "100", "text-encoder": "off"}}, "--text-encoder on"},
		{engine.Job{From: "x.safetensors"}, "--model"},
		{engine.Job{Files: []string{"diffusers"}}, "checkpoint"},
	} {
		_, err := dreamBooth(t).Start(file, c.job)
		if engine.KindOf(err) != engine.BadInput || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", c.job, err)
		}
	}
}

// TestOnlyTheNamedPartIsTrained, and the rest stays frozen.
func TestOnlyTheNamedPartIsTrained(t *testing.T) {
	for train, want := range map[string]int{"unet": 686, "attention": 160, "cross-attention": 80} { // 16 blocks, 5 tensors an attention
		tuning := trained(t, models(t)["folder"], map[string]string{"train": train, "text-encoder": "off"})
		if got := len(tuning.Parameters()); got != want {
			t.Errorf("%s trains %d tensors, want %d", train, got, want)
		}
		if change := tuning.WeightChange(); !(change > 0 && change < 1) {
			t.Errorf("%s: weights changed by %g", train, change)
		}
	}
}

// TestTheUntrainedModelStaysAtHand: while weights are trained in the model's place, it can still be asked what it was.
func TestTheUntrainedModelStaysAtHand(t *testing.T) {
	for name, m := range models(t) {
		before, seen := predict(t, m, nil), features(t, m)
		tuning := trained(t, m, map[string]string{"text-encoder": "on"})
		if d := distance(predict(t, m, tuning), before); d < 0.01 {
			t.Fatalf("%s: training changed the prediction by %g", name, d)
		}
		if diff := cmp.Diff(before, predict(t, m, m.Untrained())); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff(seen, features(t, m)); diff != "" { // by which likeness is measured
			t.Errorf("%s: features %s", name, diff)
		}
	}
}
