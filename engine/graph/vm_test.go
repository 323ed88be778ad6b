package graph_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// net is a small network with every habit of the large ones: convolution, time embedding, norms, attention over
// pixels, GEGLU, a skip connection, resampling, and a low-rank layer beside a frozen one.
type net struct {
	g          *graph.Graph
	x, target  *graph.Node
	pred, loss *graph.Node
	parameters []*graph.Node
	values     map[*graph.Node]*kernel.Tensor
}

func random(r *rand.Rand, scale float64, shape ...int) *kernel.Tensor {
	t := kernel.New(kernel.F32, shape...)
	for i := range t.F32() {
		t.F32()[i] = float32(r.NormFloat64() * scale)
	}
	return t
}

// everyThird is a mask without chance.
type everyThird struct{}

func (everyThird) Draw(factors []float32, _ []int) bool {
	for i := range factors {
		if i%3 != 0 {
			factors[i] = 1.5
		}
	}
	return true
}

func newNet() *net { return deepNet(1) }

// deepNet has blocks pairs of a residual and a transformer block.
func deepNet(blocks int) *net {
	r := rand.New(rand.NewPCG(1, 2))
	n := &net{g: graph.New(), values: map[*graph.Node]*kernel.Tensor{}}
	g := n.g
	block := 0
	leaf := func(name string, train bool, shape ...int) *graph.Node {
		name = fmt.Sprintf("%d.%s", block, name)
		t := random(r, 0.4, shape...)
		var node *graph.Node
		if train {
			node = g.Parameter(name, t)
			n.parameters = append(n.parameters, node)
		} else {
			node = g.Constant(name, t)
		}
		n.values[node] = t
		return node
	}
	n.x, n.target = g.Input("x", 2, 4, 4, 4), g.Input("target", 2, 4, 4, 4)
	n.values[n.x], n.values[n.target] = random(r, 1, 2, 4, 4, 4), random(r, 1, 2, 4, 4, 4)
	temb := leaf("temb", true, 2, 4)
	h, skip := n.x, n.x
	for block = range blocks {
		x := h
		h = g.Segment(func() *graph.Node {
			h := g.GroupNorm(x, leaf("gn.w", false, 4), leaf("gn.b", false, 4), 2, 1e-5, true)
			h = g.Conv2D(h, leaf("conv.w", true, 4, 4, 3, 3), leaf("conv.b", true, 4), graph.Same(3, 1))
			h = g.AddChannels(h, temb)
			h = g.GroupNorm(h, leaf("gn2.w", true, 4), leaf("gn2.b", true, 4), 2, 1e-5, true)
			return g.Add(x, g.Conv2D(h, leaf("conv2.w", false, 4, 4, 3, 3), nil, graph.Same(3, 1)))
		})
		skip = h
		h = g.Segment(func() *graph.Node {
			ln := g.LayerNorm(h, leaf("ln.w", true, 4), leaf("ln.b", false, 4), 1e-5)
			q := g.Linear(ln, leaf("q", true, 4, 4), nil, 1)
			own := leaf("q.own", false, 4)
			copy(n.values[own].F32(), []float32{2, 2.5, 3, 3.5}) // larger than those of q.w, so that no square is negative
			norms := g.RowNorms(leaf("q.w", false, 4, 4), own, leaf("q.down", false, 2, 4), leaf("q.up", false, 4, 2), 0.5)
			q = g.Rescale(g.Dropout(q, everyThird{}), leaf("q.scale", true, 4), norms, leaf("q.about", false, 4))
			k := g.Linear(ln, leaf("k", false, 4, 4), nil, 1)
			k = g.Add(k, g.Linear(g.Linear(ln, leaf("k.down", true, 2, 4), nil, 1), leaf("k.up", true, 4, 2), nil, 0.5))
			v := g.Linear(ln, leaf("v", false, 4, 4), leaf("v.b", false, 4), 1)
			h = g.Add(h, g.Linear(g.Attention(q, k, v, 2, false), leaf("o", false, 4, 4), nil, 1))
			return g.Add(h, g.GEGLU(g.Linear(h, leaf("ff", false, 8, 4), nil, 1)))
		})
	}
	h = g.Conv2D(h, leaf("down", false, 4, 4, 3, 3), nil, graph.Same(3, 2))
	h = g.Activate(h, kernel.SiLU)
	h = g.UpsampleNearest(h, 4, 4)
	h = g.Concat(h, skip)
	n.pred = g.Conv2D(h, leaf("out", false, 4, 8, 1, 1), nil, kernel.Conv{Stride: 1})
	n.loss = g.Loss(n.pred, n.target, nil, nil, kernel.MSE)
	return n
}

func run(t *testing.T, n *net, outputs []*graph.Node, o graph.Options) [][]float32 {
	t.Helper()
	vm, err := graph.Compile(n.g, ref.New(), outputs, o)
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	for _, in := range []*graph.Node{n.x, n.target} {
		if err := vm.Let(in, n.values[in]); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second run must not see the first's leftovers
		if err := vm.RunAll(); err != nil {
			t.Fatal(err)
		}
	}
	var results [][]float32
	for _, out := range outputs {
		results = append(results, vm.Value(out).Floats())
	}
	return results
}

func TestEqualsGorgoniasTapeMachine(t *testing.T) {
	n := newNet()
	outputs := append(n.g.Gradients(n.loss, n.parameters...), n.pred, n.loss)
	if err := n.g.Err(); err != nil {
		t.Fatal(err)
	}
	got := run(t, n, outputs, graph.Options{})

	for node, v := range n.values {
		dense := tensor.New(tensor.WithShape(v.Shape...), tensor.WithBacking(v.Floats()))
		if err := gorgonia.Let(node, dense); err != nil {
			t.Fatal(err)
		}
	}
	for _, seed := range n.g.Expr().ByName("d loss") {
		if err := gorgonia.Let(seed, float32(1)); err != nil {
			t.Fatal(err)
		}
	}
	reads := make([]gorgonia.Value, len(outputs))
	for i, out := range outputs {
		gorgonia.Read(out, &reads[i])
	}
	machine := gorgonia.NewTapeMachine(n.g.Expr())
	defer machine.Close()
	if err := machine.RunAll(); err != nil {
		t.Fatal(err)
	}
	for i, out := range outputs {
		want, ok := reads[i].Data().([]float32)
		if !ok {
			want = []float32{reads[i].Data().(float32)}
		}
		if diff := cmp.Diff(want, got[i], cmpopts.EquateApprox(1e-5, 1e-6)); diff != "" {
			t.Errorf("%v differs from Gorgonia's machine: %s", out, diff)
		}
	}
}

func TestMemoryOptionsDoNotChangeResults(t *testing.T) {
	plain := newNet()
	outputs := append(plain.g.Gradients(plain.loss, plain.parameters...), plain.loss)
	for _, dtype := range []kernel.DType{kernel.F32, kernel.BF16} {
		want := run(t, plain, outputs, graph.Options{DType: dtype})
		options := []graph.Options{{Memory: &graph.Memory{}}}
		for level := range graph.MostRecompute {
			options = append(options, graph.Options{Recompute: level + 1})
		}
		for _, o := range options {
			o.DType = dtype
			n := newNet()
			got := run(t, n, append(n.g.Gradients(n.loss, n.parameters...), n.loss), o)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%+v changes results: %s", o, diff)
			}
		}
	}
}

// TestEachLevelOfRecomputeTakesLessMemory: and computes no more than the level says.
func TestEachLevelOfRecomputeTakesLessMemory(t *testing.T) {
	before := compiled(t, graph.KeepAll)
	operators := before.Operators()
	for level := graph.Cheap; level <= graph.MostRecompute; level++ {
		vm := compiled(t, level)
		if vm.Bytes() >= before.Bytes() && level != graph.Products { // all products of this net are narrow
			t.Errorf("level %d takes %d bytes, the one below %d", level, vm.Bytes(), before.Bytes())
		}
		for kind, first := range map[string]graph.Recompute{"linear": graph.Narrow, "conv": graph.Convolutions, "attention": graph.MostRecompute + 1} {
			if again := vm.Operators()[kind] > operators[kind]; again != (level >= first) {
				t.Errorf("level %d runs %d times %s, %d are needed", level, vm.Operators()[kind], kind, operators[kind])
			}
		}
		before = vm
	}
}

func compiled(t *testing.T, level graph.Recompute) *graph.VM {
	t.Helper()
	n := deepNet(4)
	vm, err := graph.Compile(n.g, ref.New(), append(n.g.Gradients(n.loss, n.parameters...), n.loss), graph.Options{Recompute: level})
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

func TestGradientsAgreeWithDifferences(t *testing.T) {
	n := newNet()
	grads := n.g.Gradients(n.loss, n.parameters...)
	values := run(t, n, grads, graph.Options{})
	for k, p := range n.parameters {
		v := n.values[p].F32()
		for _, i := range []int{0, len(v) / 2, len(v) - 1} {
			const h = 1e-2
			before := v[i]
			v[i] = before + h
			up := run(t, n, []*graph.Node{n.loss}, graph.Options{})[0][0]
			v[i] = before - h
			down := run(t, n, []*graph.Node{n.loss}, graph.Options{})[0][0]
			v[i] = before
			want, got := float64(up-down)/(2*h), float64(values[k][i])
			if math.Abs(want-got) > 2e-3*(1+math.Abs(want)) {
				t.Errorf("%s[%d]: gradient %g, difference quotient %g", p.Name(), i, got, want)
			}
		}
	}
}

func TestFrozenWeightsGetNoGradientWork(t *testing.T) {
	g := graph.New()
	r := rand.New(rand.NewPCG(3, 4))
	x, target := g.Input("x", 1, 4, 4, 4), g.Input("target", 1, 4, 4, 4)
	h := g.Conv2D(x, g.Constant("frozen", random(r, 1, 4, 4, 3, 3)), nil, graph.Same(3, 1))
	low := g.Linear(g.Linear(h, g.Parameter("down", random(r, 1, 2, 4)), nil, 1), g.Parameter("up", random(r, 1, 4, 2)), nil, 1)
	h = g.Conv2D(g.Add(h, low), g.Constant("frozen 2", random(r, 1, 4, 4, 3, 3)), nil, graph.Same(3, 1))
	loss := g.Loss(h, target, nil, nil, kernel.MSE)
	down, up := g.Expr().ByName("down")[0], g.Expr().ByName("up")[0]
	vm, err := graph.Compile(g, ref.New(), append(g.Gradients(loss, down, up), loss), graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"conv": 2, "linear": 2, "loss": 1, "loss grad": 1, "conv dx": 1, "linear dx": 1, "linear dw": 2}
	if diff := cmp.Diff(want, vm.Operators()); diff != "" {
		t.Errorf("operators of a low-rank step: %s", diff)
	}
}
