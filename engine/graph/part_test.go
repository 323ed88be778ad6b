package graph_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestPartsAndProducts are the formula.
func TestPartsAndProducts(t *testing.T) {
	g := graph.New()
	x := g.Constant("x", kernel.FromF32([]float32{0, 1, 2, 3, 4, 5, 6, 7}, 2, 4))
	w := g.Constant("w", kernel.FromF32([]float32{1, 2, 3, 4, 5, 6}, 2, 3))
	if diff := cmp.Diff([]float32{3, 4, 5, 6}, evaluate(t, g, g.Part(x, 3, 2, 2))); diff != "" {
		t.Errorf("part: %s", diff)
	}
	if diff := cmp.Diff([]float32{-9.5, -13, -16.5}, evaluate(t, g, g.Scale(g.Product(g.Part(x, 3, 1, 2), w), -0.5))); diff != "" {
		t.Errorf("scaled product: %s", diff)
	}
	for _, bad := range []func(g *graph.Graph, x *graph.Node) *graph.Node{
		func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Part(x, 6, 3) },
		func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Part(x, -1, 3) },
		func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Product(x, x) },
	} {
		g := graph.New()
		if bad(g, g.Input("x", 2, 4)); g.Err() == nil {
			t.Error("shapes that do not fit were taken")
		}
	}
}

// generated is a chain of layers whose weights are parts of one generated matrix.
func generated() (g *graph.Graph, loss *graph.Node, parameters []*graph.Node) {
	r := rand.New(rand.NewPCG(4, 4))
	g = graph.New()
	code, head := g.Parameter("code", random(r, 1, 3, 4)), g.Parameter("head", random(r, 0.5, 10, 4))
	emitted := g.Exact(func() *graph.Node { return g.Linear(code, head, nil, 1) })
	basis := g.Constant("basis", random(r, 0.5, 5, 5))
	h := g.Constant("x", random(r, 1, 7, 5))
	for l := range 3 {
		down := g.Product(g.Part(emitted, 10*l, 1, 5), basis)
		up := g.Product(basis, g.Part(emitted, 10*l+5, 5, 1))
		h = g.Add(h, g.Linear(g.Linear(h, down, nil, 1), up, nil, 0.5))
	}
	return g, g.Loss(h, g.Constant("target", random(r, 1, 7, 5)), nil, nil, kernel.MSE), []*graph.Node{code, head}
}

func TestGradientsThroughPartsAgreeWithDifferences(t *testing.T) {
	g, loss, parameters := generated()
	grads := g.Gradients(loss, parameters...)
	vm, err := graph.Compile(g, ref.New(), append(grads, loss), graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	value := func() float64 {
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
		return float64(vm.Value(loss).F32()[0])
	}
	value()
	for k, p := range parameters {
		got, v := vm.Value(grads[k]).Floats(), g.Bound(p).F32()
		want := make([]float32, len(v))
		for i, before := range v {
			const h = 2e-3
			v[i] = before + h
			up := value()
			v[i] = before - h
			want[i] = float32((up - value()) / (2 * h))
			v[i] = before
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0.01, 1e-3)); diff != "" {
			t.Errorf("%s: %s", p.Name(), diff)
		}
		if slices.Max(want) < 0.05 {
			t.Errorf("%s hardly has a gradient", p.Name())
		}
	}
	if n := vm.Operators()["add"]; n != 0 {
		t.Errorf("%d additions; the parts' gradients are to meet in one memory", n)
	}
}
