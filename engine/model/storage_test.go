package model_test

import (
	"context"
	"os"
	"testing"

	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/model"

	"github.com/google/go-cmp/cmp"
)

// predict runs the UNet of the tiny model on fixed inputs.
func predict(t *testing.T, m *model.Model, o graph.Options) []float32 {
	t.Helper()
	g := graph.New()
	in := []*graph.Node{g.Input("x", 1, 8, 8, m.UNet.InChannels), g.Input("t", 1), g.Input("context", 1, model.Tokens, m.UNet.CrossAttentionDim)}
	f, err := graph.NewFunction(g, ref.New(), in, m.BuildUNet(g, nil, in[0], in[1], in[2]), o)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var values []*kernel.Tensor
	for k, n := range in {
		v := kernel.New(kernel.F32, n.Shape()...)
		for i := range v.F32() {
			v.F32()[i] = float32((i*7+k)%13)/6 - 1
		}
		values = append(values, v)
	}
	out, err := f.Call(context.Background(), values...)
	if err != nil {
		t.Fatal(err)
	}
	return out.F32()
}

func tiny(t *testing.T) *model.Model {
	t.Helper()
	m, err := model.Load(os.DirFS(golden.Path(t, "tiny-sd1")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestStorageDoesNotChangeResults: as long as the type stays. Rounded weights give the same wherever they lie.
func TestStorageDoesNotChangeResults(t *testing.T) {
	m := tiny(t)
	exact := predict(t, m, graph.Options{})
	m.Release(model.UNet)
	if diff := cmp.Diff(exact, predict(t, m, graph.Options{})); diff != "" {
		t.Errorf("after Release: %s", diff)
	}
	m.Store(model.UNet, model.Storage{DType: kernel.F32, Spill: t.TempDir(), Lean: true})
	if diff := cmp.Diff(exact, predict(t, m, graph.Options{Stream: true})); diff != "" {
		t.Errorf("streamed: %s", diff)
	}
	m.Store(model.UNet, model.Storage{DType: kernel.BF16})
	rounded := predict(t, m, graph.Options{})
	if cmp.Equal(exact, rounded) {
		t.Error("the weights were not rounded")
	}
	m.Store(model.UNet, model.Storage{DType: kernel.BF16, Spill: t.TempDir(), Lean: true})
	if diff := cmp.Diff(rounded, predict(t, m, graph.Options{Stream: true})); diff != "" {
		t.Errorf("rounded and streamed: %s", diff)
	}
}

func TestSpillThatCannotBeMadeIsAnError(t *testing.T) {
	m := tiny(t)
	m.Store(model.UNet, model.Storage{DType: kernel.BF16, Spill: "/nowhere/at/all"})
	g := graph.New()
	m.BuildUNet(g, nil, g.Input("x", 1, 8, 8, 4), g.Input("t", 1), g.Input("context", 1, model.Tokens, m.UNet.CrossAttentionDim))
	if g.Err() == nil {
		t.Error("a spill in a folder that does not exist was made")
	}
}

func TestOutlineTakesNoWeights(t *testing.T) {
	m := tiny(t).Outline()
	g := graph.New()
	out := m.BuildUNet(g, nil, g.Input("x", 1, 8, 8, 4), g.Input("t", 1), g.Input("context", 1, model.Tokens, m.UNet.CrossAttentionDim))
	vm, err := graph.Compile(g, ref.New(), []*graph.Node{out}, graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	if vm.Bytes() == 0 || len(vm.Weights()) == 0 {
		t.Errorf("%d bytes for values, %d weights", vm.Bytes(), len(vm.Weights()))
	}
	for _, w := range vm.Weights() {
		if len(w.Data) > 0 {
			t.Fatalf("a weight %v has data", w.Shape)
		}
	}
}
