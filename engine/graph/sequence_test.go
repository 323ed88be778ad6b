package graph_test

import (
	"math/rand/v2"
	"testing"

	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func evaluateWith(t *testing.T, g *graph.Graph, out *graph.Node, in map[*graph.Node]*kernel.Tensor) ([]float32, error) {
	t.Helper()
	vm, err := graph.Compile(g, ref.New(), []*graph.Node{out}, graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	for n, value := range in {
		if err := vm.Let(n, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := vm.RunAll(); err != nil {
		return nil, err
	}
	return vm.Value(out).Floats(), nil
}

func TestJoinTokens(t *testing.T) {
	g := graph.New()
	a, b := g.Input("a", 2, 1, 2), g.Input("b", 2, 1, 2, 2)
	got, err := evaluateWith(t, g, g.JoinTokens(a, b), map[*graph.Node]*kernel.Tensor{
		a: kernel.FromF32([]float32{1, 2, 3, 4}, 2, 1, 2), b: kernel.FromF32([]float32{5, 6, 7, 8, 9, 10, 11, 12}, 2, 1, 2, 2)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float32{1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12}, got); diff != "" {
		t.Error(diff)
	}
	if g.JoinTokens(a, g.Input("c", 2, 1, 3)); g.Err() == nil {
		t.Error("tokens of two widths were joined")
	}
}

// TestCachedAttention: two texts, three tokens at once and then one, against causal attention over all four.
func TestCachedAttention(t *testing.T) {
	const texts, width, heads, capacity, tokens = 2, 4, 2, 5, 4
	r := rand.New(rand.NewPCG(3, 4))
	q, k, v := random(r, 1, texts, tokens, width), random(r, 1, texts, tokens, width), random(r, 1, texts, tokens, width)
	g := graph.New()
	nodes := []*graph.Node{g.Input("q", q.Shape...), g.Input("k", k.Shape...), g.Input("v", v.Shape...)}
	want, err := evaluateWith(t, g, g.Attention(nodes[0], nodes[1], nodes[2], heads, true), map[*graph.Node]*kernel.Tensor{nodes[0]: q, nodes[1]: k, nodes[2]: v})
	if err != nil {
		t.Fatal(err)
	}
	keys, values := kernel.New(kernel.F32, texts, capacity, width), kernel.New(kernel.F32, texts, capacity, width)
	cached := func(from, n int) ([]float32, error) {
		g := graph.New()
		in := map[*graph.Node]*kernel.Tensor{}
		input := func(name string, value *kernel.Tensor) *graph.Node {
			node := g.Input(name, value.Shape...)
			in[node] = value
			return node
		}
		position := g.Indices("position", 1, 1)
		in[position] = kernel.New(kernel.I32, 1, 1)
		in[position].I32()[0] = int32(from)
		out := g.CachedAttention(input("q", cut(q, from, n)), input("k", cut(k, from, n)), input("v", cut(v, from, n)), input("keys", keys), input("values", values), position, heads)
		if g.Err() != nil {
			t.Fatal(g.Err())
		}
		return evaluateWith(t, g, out, in)
	}
	for _, step := range []struct{ from, n int }{{0, 3}, {3, 1}} {
		got, err := cached(step.from, step.n)
		if err != nil {
			t.Fatal(err)
		}
		expected := cut(kernel.FromF32(want, texts, tokens, width), step.from, step.n).F32()
		if diff := cmp.Diff(expected, got, cmpopts.EquateApprox(0, 1e-6)); diff != "" {
			t.Errorf("%d tokens from %d: %s", step.n, step.from, diff)
		}
	}
	if _, err := cached(2, 2); err == nil {
		t.Error("two tokens behind others were taken")
	}
}

// cut is n tokens of each text, one text behind the other: [1, texts·n, width].
func cut(t *kernel.Tensor, from, n int) *kernel.Tensor {
	texts, tokens, width := t.Shape[0], t.Shape[1], t.Shape[2]
	out := kernel.New(kernel.F32, 1, texts*n, width)
	for i := range texts {
		copy(out.F32()[i*n*width:(i+1)*n*width], t.F32()[(i*tokens+from)*width:(i*tokens+from+n)*width])
	}
	return out
}
