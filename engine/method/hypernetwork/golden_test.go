package hypernetwork_test

import (
	"os"
	"path/filepath"
	"testing"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/method"
	_ "easel/engine/method/hypernetwork"
	_ "easel/engine/method/lora" // reads LoRA files
	"easel/engine/model"
)

func loadTiny(t *testing.T) *model.Model {
	t.Helper()
	m, err := model.Load(os.DirFS(golden.Path(t, "tiny-sd1")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// start begins a tuning with the settings of golden's files.
func start(t *testing.T, m *model.Model, settings map[string]string) method.Tuning {
	t.Helper()
	tuning, err := try(t, m, engine.Job{Seed: 42, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	return tuning
}

func try(t *testing.T, m *model.Model, job engine.Job) (method.Tuning, error) {
	t.Helper()
	me, err := method.ByName("hypernetwork")
	if err != nil {
		t.Fatal(err)
	}
	return me.Start(m, job)
}

// trained gives a tuning the trained values of a golden file.
func trained(t *testing.T, tuning method.Tuning, name string) {
	t.Helper()
	f := golden.Open(t, "train/"+name+".safetensors")
	for _, p := range tuning.Parameters() {
		copy(p.Value.F32(), f.Tensor("after/"+p.Name).F32())
	}
}

var (
	generator = map[string]string{"kind": "generator", "basis": "8,4", "rank": "1", "embedding": "10", "hidden": "24", "text-encoder": "off"}
	plain     = map[string]string{"kind": "classic"}
	noBias    = map[string]string{"kind": "classic", "bias": "off"}
	swish     = map[string]string{"kind": "classic", "activation": "swish", "widths": "12,16"}
)

// TestTunedModelsPredictAsTheReference: with golden's trained values, in training and read back from the exported file.
func TestTunedModelsPredictAsTheReference(t *testing.T) {
	for _, c := range []struct {
		name, eps string
		settings  map[string]string
		form      string
	}{
		{"hyper_a_linear", "hyper_a_linear", plain, "a1111"},
		{"hyper_a_swish", "hyper_a_swish", swish, "a1111"},
		{"hyper_a_linear_nobias", "hyper_a_linear_nobias", noBias, "a1111"},
		{"hyper_a_linear_nobias", "hyper_a_linear_nobias", noBias, "lora"},
		{"hyper_b", "hyper_b.lora", generator, "lora"},
	} {
		t.Run(c.name+" "+c.form, func(t *testing.T) {
			f := golden.Open(t, "files/"+c.eps+".eps.safetensors")
			m := loadTiny(t)
			tuning := start(t, m, c.settings)
			trained(t, tuning, c.name)
			f.Check(t, "", "eps_hyper", predict(t, m, tuning, f))
			path := filepath.Join(t.TempDir(), "x")
			if err := tuning.Export(path, c.form, method.About{Steps: 3}, kernel.F32); err != nil {
				t.Fatal(err)
			}
			read, err := method.Apply(m, path, 1)
			if err != nil {
				t.Fatal(err)
			}
			f.Check(t, "", "eps_hyper", predict(t, m, read, f))
		})
	}
}

// TestFilesOfA1111 are read with their effect; at weight 0 they have none.
func TestFilesOfA1111(t *testing.T) {
	for _, name := range []string{"hyper_a_linear", "hyper_a_swish"} {
		f := golden.Open(t, "files/"+name+".eps.safetensors")
		m := loadTiny(t)
		for weight, want := range map[float64]string{1: "eps_hyper", 0: "eps_base"} {
			a, err := method.Apply(m, golden.Path(t, "files", name+".pt"), weight)
			if err != nil {
				t.Fatal(err)
			}
			f.Check(t, "", want, predict(t, m, a, f))
		}
	}
}

// TestExportedLoRAs equal the reference's, tensor by tensor.
func TestExportedLoRAs(t *testing.T) {
	for name, settings := range map[string]map[string]string{"hyper_b": generator, "hyper_a_linear_nobias": noBias} {
		tuning := start(t, loadTiny(t), settings)
		trained(t, tuning, name)
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := tuning.Export(path, "lora", method.About{}, kernel.F32); err != nil {
			t.Fatal(err)
		}
		want := golden.Open(t, "files/"+name+".lora.safetensors")
		got, err := format.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Close()
		if len(got.Names()) != len(want.Names()) {
			t.Errorf("%s: %d tensors, want %d", name, len(got.Names()), len(want.Names()))
		}
		for _, n := range want.Names() {
			v, err := got.Tensor(n)
			if err != nil {
				t.Fatal(err)
			}
			want.CheckWithin(t, golden.Tolerance{Rel: 4.4e-6}, n, v.F32()) // that of emitted_after
		}
	}
}

// TestBasesAreTheDefinition compares the frozen bases.
func TestBasesAreTheDefinition(t *testing.T) {
	f := golden.Open(t, "train/hyper_b.safetensors")
	m := loadTiny(t)
	g := graph.New()
	m.BuildUNet(g, start(t, m, generator), g.Input("x", 1, 8, 8, 4), g.Input("t", 1), g.Input("context", 1, 77, 12))
	bases := 0
	for _, name := range f.Names() {
		leaf := g.Leaf(name)
		if leaf == nil {
			continue
		}
		bases++
		v := g.Bound(leaf)
		values := v.F32()
		if filepath.Ext(name) == ".up" { // kept with its rows as columns
			values = nil
			for c := range v.Shape[1] {
				for r := range v.Shape[0] {
					values = append(values, v.F32()[r*v.Shape[1]+c])
				}
			}
		}
		f.Check(t, "basis", name, values)
	}
	if bases != 256 {
		t.Errorf("%d bases, want 256", bases)
	}
}

// predict runs prompt and latent of f through text encoder and UNet; the result is channels-first, as golden's.
func predict(t *testing.T, m *model.Model, a model.Adapter, f *golden.File) []float32 {
	t.Helper()
	x, step, idShape := f.Tensor("in/x"), f.Tensor("in/t"), f.Tensor("in/input_ids").Shape
	b, c, h, w := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	ids := kernel.New(kernel.I32, idShape...)
	for i, v := range f.Ints("in/input_ids") {
		ids.I32()[i] = int32(v)
	}
	last := kernel.New(kernel.F32, b, h, w, c)
	eachPixel(b, c, h*w, func(first, at int) { last.F32()[at] = x.F32()[first] })
	g := graph.New()
	in := []*graph.Node{g.Input("x", b, h, w, c), g.Input("t", step.Shape...), g.Indices("ids", idShape...)}
	pred, err := graph.NewFunction(g, ref.New(), in, m.BuildUNet(g, a, in[0], in[1], m.BuildText(g, a, in[2], 1)), graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pred.Close()
	out, err := pred.Call(t.Context(), last, step, ids)
	if err != nil {
		t.Fatal(err)
	}
	eps := make([]float32, out.Len())
	eachPixel(b, c, h*w, func(first, at int) { eps[first] = out.F32()[at] })
	return eps
}

// eachPixel visits the positions of every value in channels-first and channels-last order.
func eachPixel(b, c, pixels int, visit func(first, last int)) {
	for n := range b {
		for k := range c {
			for p := range pixels {
				visit((n*c+k)*pixels+p, (n*pixels+p)*c+k)
			}
		}
	}
}
