package lora_test

import (
	"os"
	"testing"

	"easel/engine"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/method"
	"easel/engine/method/lora"
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

// TestFilesHaveTheEffectOfMergedWeights: a LoRA file beside the frozen model predicts what the reference predicts with
// the file merged into the weights, in the UNet and the text encoder.
func TestFilesHaveTheEffectOfMergedWeights(t *testing.T) {
	for _, name := range []string{"lora", "locon", "hyper_a_linear_nobias.lora", "hyper_b.lora"} {
		t.Run(name, func(t *testing.T) {
			f := golden.Open(t, "files/"+name+".eps.safetensors")
			m := loadTiny(t)
			a, err := lora.Apply(m, golden.Path(t, "files", name+".safetensors"), 1)
			if err != nil {
				t.Fatal(err)
			}
			f.Check(t, "", "eps_base", predict(t, m, nil, f))
			f.Check(t, "", "eps_lora", predict(t, m, a, f))
		})
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

func TestSettingsThatCannotBeUsedAreNamed(t *testing.T) {
	m := loadTiny(t)
	me, err := method.ByName("lora")
	if err != nil {
		t.Fatal(err)
	}
	for _, settings := range []map[string]string{{"rank": "0"}, {"rank": "4.5"}, {"alpha": "-1"}, {"alpha": "NaN"}, {"targets": "everything"}, {"colour": "red"}} {
		if _, err := me.Start(m, engine.Job{Settings: settings}); engine.KindOf(err) != engine.BadInput {
			t.Errorf("%v: error %v", settings, err)
		}
	}
}
