package hypernetwork_test

import (
	"math"
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
)

// TestSettingsThatContradict are refused in a sentence that says what to do.
func TestSettingsThatContradict(t *testing.T) {
	m := loadTiny(t)
	for _, c := range []struct {
		job  engine.Job
		says string
	}{
		{engine.Job{Settings: map[string]string{"structure": "1,3,1"}}, "--structure belongs to a classic hypernetwork"},
		{engine.Job{Settings: map[string]string{"kind": "classic", "rank": "4"}}, "--rank belongs to a generator hypernetwork"},
		{engine.Job{Settings: map[string]string{"kind": "classic", "text-encoder": "on"}}, "--text-encoder belongs"},
		{engine.Job{Settings: map[string]string{"rank": "60", "basis": "100,50"}}, "a rank of 60 does not fit"},
		{engine.Job{Settings: map[string]string{"basis": "8"}}, "basis must be two whole numbers"},
		{engine.Job{Settings: map[string]string{"basis": "8,0"}}, "basis must be two whole numbers"},
		{engine.Job{Settings: map[string]string{"hidden": "0"}}, "hidden must be a whole number"},
		{engine.Job{Settings: map[string]string{"kind": "classic", "structure": "1,2"}}, "begin and end with 1"},
		{engine.Job{Settings: map[string]string{"kind": "classic", "structure": "1,two,1"}}, "begin and end with 1"},
		{engine.Job{Settings: map[string]string{"kind": "classic", "structure": "1,-2,1"}}, "above 0"},
		{engine.Job{Settings: map[string]string{"kind": "classic", "dropout": "0,0.3"}}, "dropout must be 3 numbers"},
		{engine.Job{Settings: map[string]string{"kind": "classic", "dropout": "0,1,0"}}, "below, 1"},
		{engine.Job{Settings: map[string]string{"kind": "classic", "dropout": "0,0.3,0.3"}}, "first and last 0"},
		{engine.Job{Settings: map[string]string{"kind": "classic", "widths": "768"}}, "contexts are [32 24 16 12] wide"},
		{engine.Job{Settings: map[string]string{"kind": "classic", "activation": "glu"}}, "activation cannot be"},
		{engine.Job{From: "x.safetensors"}, "leave out --from"},
	} {
		if _, err := try(t, m, c.job); engine.KindOf(err) != engine.BadInput || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %v", c.job.Settings, err)
		}
	}
}

// TestSettingsAreRecordedByKind, so that a record can be given again.
func TestSettingsAreRecordedByKind(t *testing.T) {
	m := loadTiny(t)
	for kind, want := range map[string]int{"generator": 6, "classic": 8} {
		first := start(t, m, map[string]string{"kind": kind}).Settings()
		if len(first) != want || first["kind"] != kind || kind == "generator" && first["rank"] != "8" {
			t.Errorf("%s records %v", kind, first)
		}
		if diff := cmp.Diff(first, start(t, m, first).Settings()); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

// TestNothingChangesAtStepZero, for each kind with its first values.
func TestNothingChangesAtStepZero(t *testing.T) {
	f := golden.Open(t, "files/hyper_a_linear.eps.safetensors")
	m := loadTiny(t)
	for _, settings := range []map[string]string{{}, {"basis": "none", "rank": "3", "text-encoder": "on"}, {"kind": "classic", "widths": "all"},
		{"kind": "classic", "layer-norm": "on", "activation": "mish", "structure": "1,0.5,2,1"}} {
		tuning := start(t, m, settings)
		f.Check(t, "", "eps_base", predict(t, m, tuning, f))
		if change := tuning.WeightChange(); change > 1e-6 && settings["layer-norm"] == "" {
			t.Errorf("%v: the weights changed by %g", settings, change)
		}
	}
}

// TestGeneratedLayersOfAnyRank: with and without bases, in the UNet and the text encoder, the graph and the exported file
// are the same function.
func TestGeneratedLayersOfAnyRank(t *testing.T) {
	f := golden.Open(t, "files/hyper_b.lora.eps.safetensors")
	for _, settings := range []map[string]string{{"rank": "3", "basis": "20,6", "text-encoder": "on"}, {"rank": "2", "basis": "none"}} {
		m := loadTiny(t)
		tuning := start(t, m, settings)
		for _, p := range tuning.Parameters() {
			for i := range p.Value.F32() {
				p.Value.F32()[i] += 0.1 * float32(math.Sin(float64(i)))
			}
		}
		path := t.TempDir() + "/x.safetensors"
		if err := tuning.Export(path, "lora", method.About{}, kernel.F32); err != nil {
			t.Fatal(err)
		}
		a, err := method.Apply(m, path, 1)
		if err != nil {
			t.Fatal(err)
		}
		inGraph, inFile := predict(t, m, tuning, f), predict(t, m, a, f)
		for i, v := range inFile {
			if math.Abs(float64(v-inGraph[i])) > 2e-5 {
				t.Fatalf("%v: element %d is %g in the graph, %g through the file", settings, i, inGraph[i], v)
			}
		}
		if change := tuning.WeightChange(); !(change > 0.001) {
			t.Errorf("%v: the weights changed by %g", settings, change)
		}
	}
}

// TestDropoutCountsInStepsOnly, and is a function of the step.
func TestDropoutCountsInStepsOnly(t *testing.T) {
	f := golden.Open(t, "files/hyper_a_linear.eps.safetensors")
	m := loadTiny(t)
	tuning := start(t, m, map[string]string{"kind": "classic", "dropout": "0,0.5,0"})
	trained(t, tuning, "hyper_a_linear")
	f.Check(t, "", "eps_hyper", predict(t, m, tuning, f))
	at := func(step int) []float32 {
		tuning.BeforeStep(step)
		defer tuning.AfterStep(step)
		return predict(t, m, tuning, f)
	}
	first := at(1)
	if diff := cmp.Diff(first, at(1)); diff != "" {
		t.Error("the same step has two masks")
	}
	if cmp.Equal(first, at(2)) || cmp.Equal(first, f.Tensor("eps_hyper").F32()) {
		t.Error("nothing was left out, or the same in two steps")
	}
	f.Check(t, "", "eps_hyper", predict(t, m, tuning, f))
}

// TestFilesForOtherModels are refused with the widths.
func TestFilesForOtherModels(t *testing.T) {
	for _, c := range []struct {
		width      int
		activation string
		kind       engine.Kind
		says       string
	}{{768, "relu", engine.BadFile, "768 wide, this model's are [32 24 16 12]"}, {12, "glu", engine.Unsupported, `the activation "glu"`}} {
		two := func(side string) format.HypernetworkModule {
			w := kernel.New(kernel.F32, c.width, c.width)
			return format.HypernetworkModule{Width: c.width, Side: side, Layers: []format.HypernetworkLayer{{Weight: w, Activation: c.activation}, {Weight: w}}}
		}
		path := t.TempDir() + "/x.pt"
		if err := format.WriteHypernetwork(path, []format.HypernetworkModule{two("k"), two("v")}, format.HypernetworkMeta{Activation: c.activation}, kernel.F32); err != nil {
			t.Fatal(err)
		}
		if _, err := method.Apply(loadTiny(t), path, 1); engine.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%d: %v", c.width, err)
		}
	}
}

// TestContextsAreChangedOnce: layers that share a prompt's context share what is made of it.
func TestContextsAreChangedOnce(t *testing.T) {
	m := loadTiny(t)
	count := func(settings map[string]string) int {
		g := graph.New()
		pred := m.BuildUNet(g, start(t, m, settings), g.Input("x", 1, 8, 8, 4), g.Input("t", 1), g.Input("context", 1, 77, 12))
		vm, err := graph.Compile(g, ref.New(), []*graph.Node{pred}, graph.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer vm.Close()
		return vm.Operators()["activation"]
	}
	without := count(map[string]string{"kind": "classic"})
	if got := count(map[string]string{"kind": "classic", "activation": "mish"}) - without; got != 2 {
		t.Errorf("%d activations were added, want one for keys and one for values", got)
	}
}
