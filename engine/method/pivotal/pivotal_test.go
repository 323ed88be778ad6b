package pivotal_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/method"
	_ "easel/engine/method/lora"
	_ "easel/engine/method/pivotal"
	_ "easel/engine/method/textualinversion"
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

func start(t *testing.T, m *model.Model, settings map[string]string) (method.Tuning, error) {
	t.Helper()
	me, err := method.ByName("pivotal")
	if err != nil {
		t.Fatal(err)
	}
	return me.Start(m, engine.Job{Word: "zorbit", Class: "robot", Settings: settings})
}

// predict is the UNet's output for a prompt with the word.
func predict(t *testing.T, m *model.Model, a model.Adapter) []float32 {
	t.Helper()
	x := kernel.New(kernel.F32, 1, 8, 8, m.UNet.InChannels)
	rng.Normal(x.F32(), 1, 0, rng.Noise)
	g := graph.New()
	in := []*graph.Node{g.Input("x", x.Shape...), g.Input("t", 1), g.Indices("ids", 1, model.Tokens)}
	f, err := graph.NewFunction(g, ref.New(), in, m.BuildUNet(g, a, in[0], in[1], m.BuildText(g, a, in[2], 1)), graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, err := f.Call(t.Context(), x, kernel.FromF32([]float32{500}, 1), m.IDs("a photo of a zorbit and a blorp"))
	if err != nil {
		t.Fatal(err)
	}
	return out.Floats()
}

// TestFilesHoldBoth: the LoRA with the word's file beside it, and the LoRA with the word inside, both predict what the
// trained model does, with no part left out.
func TestFilesHoldBoth(t *testing.T) {
	m := loadTiny(t)
	tuning, err := start(t, m, map[string]string{"vectors": "2", "words": "blorp=cat", "rank": "2", "text-encoder": "on", "word-rate": "7"})
	if err != nil {
		t.Fatal(err)
	}
	predict(t, m, tuning) // makes the layers known
	for i, p := range tuning.Parameters() {
		if rate := p.Rate; rate != 1 && i > 1 || rate != 7 && i < 2 {
			t.Errorf("%s has rate %g", p.Name, rate)
		}
		for k := range p.Value.F32() {
			p.Value.F32()[k] += float32((i+k)%5-2) / 16 // exact in half precision
		}
	}
	want := predict(t, m, tuning)
	about := method.About{Name: "zorbit", Job: engine.Job{Word: "zorbit"}}
	dir := t.TempDir()
	inside := filepath.Join(dir, "inside.safetensors")
	beside := []string{filepath.Join(dir, "zorbit.safetensors")}
	for form, path := range map[string]string{"bundle": inside, "kohya": beside[0]} {
		if err := tuning.Export(path, form, about, kernel.F32); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(method.CompanionsOf(tuning, "bundle")); n != 0 {
		t.Errorf("a bundle has %d companions", n)
	}
	for _, c := range method.CompanionsOf(tuning, "kohya") {
		beside = append(beside, filepath.Join(dir, c.Name+c.Ending))
		if err := c.Export(beside[len(beside)-1], about, kernel.F32); err != nil {
			t.Fatal(err)
		}
	}
	for name, files := range map[string][]string{"inside": {inside}, "beside": beside} {
		again := loadTiny(t)
		var adapters model.Adapters
		for _, file := range files {
			a, err := method.Apply(again, file, 1)
			if err != nil {
				t.Fatal(err)
			}
			adapters = append(adapters, a)
		}
		if diff := cmp.Diff(want, predict(t, again, adapters)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if cmp.Equal(want, predict(t, again, adapters[1:])) {
			t.Errorf("%s: without the LoRA it predicts the same", name)
		}
	}
	info, err := format.Inspect(inside)
	if err != nil || info.Kind != format.KindBundle {
		t.Errorf("the bundle is %q (%v)", info.Kind, err)
	}
}

// TestSettingsAreThoseOfBoth methods, and no others.
func TestSettingsAreThoseOfBoth(t *testing.T) {
	m := loadTiny(t)
	tuning, err := start(t, m, map[string]string{"vectors": "3", "rank": "5"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"vectors": "3", "rank": "5", "init": "robot", "word-rate": "5"} {
		if got := tuning.Settings()[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for name, value := range map[string]string{"vectors": "0", "rank": "0", "word-rate": "-1", "colour": "red"} {
		if _, err := start(t, m, map[string]string{name: value}); engine.KindOf(err) != engine.BadInput {
			t.Errorf("%s %s: %v", name, value, err)
		}
	}
}
