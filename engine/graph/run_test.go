package graph_test

import (
	"context"
	"testing"

	"easel/engine"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"

	"github.com/google/go-cmp/cmp"
)

// stopping is a backend that calls stop in its first Linear.
type stopping struct {
	kernel.Backend
	stop  func()
	calls int
}

func (s *stopping) Linear(y, x, w, bias, add *kernel.Tensor, alpha float32) error {
	s.calls++
	s.stop()
	return s.Backend.Linear(y, x, w, bias, add, alpha)
}

func TestRunStopsBetweenOperators(t *testing.T) {
	n := newNet()
	ctx, cancel := context.WithCancel(context.Background())
	b := &stopping{Backend: ref.New(), stop: cancel}
	vm, err := graph.Compile(n.g, b, []*graph.Node{n.loss}, graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	for _, in := range []*graph.Node{n.x, n.target} {
		if err := vm.Let(in, n.values[in]); err != nil {
			t.Fatal(err)
		}
	}
	if err := vm.Run(ctx); engine.KindOf(err) != engine.Cancelled || b.calls != 1 {
		t.Errorf("after %d products: %v; want to stop after the first, cancelled", b.calls, err)
	}
}

// TestSumsAreFolded: residual additions and meeting gradients run inside the products that make one side.
func TestSumsAreFolded(t *testing.T) {
	g := graph.New()
	w := kernel.FromF32([]float32{1, 2, 3, 4}, 2, 2)
	x := g.Input("x", 3, 2)
	y := g.Add(x, g.Linear(x, g.Constant("w", w), nil, 1))
	vm, err := graph.Compile(g, ref.New(), []*graph.Node{y}, graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	if diff := cmp.Diff(map[string]int{"linear": 1}, vm.Operators()); diff != "" {
		t.Errorf("operators: %s", diff)
	}
	if err := vm.Let(x, kernel.FromF32([]float32{1, 0, 0, 1, 1, 1}, 3, 2)); err != nil {
		t.Fatal(err)
	}
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float32{2, 3, 2, 5, 4, 8}, vm.Value(y).Floats()); diff != "" {
		t.Errorf("x + x·wᵀ: %s", diff)
	}
	if rows := vm.Profile(); len(rows) != 1 || rows[0].Calls != 1 || rows[0].Op != "linear" {
		t.Errorf("profile %+v", rows)
	}
}

func TestMistakesAreKeptUntilTheEnd(t *testing.T) {
	g := graph.New()
	a, b := g.Input("a", 2, 3), g.Input("b", 2, 4)
	if g.Add(a, b) != nil || g.Err() == nil {
		t.Fatalf("tensors of two shapes were added: %v", g.Err())
	}
	first := g.Err()
	if g.Input("c", 1) != nil || g.Err() != first {
		t.Error("building went on after a mistake")
	}
	if _, err := graph.Compile(g, ref.New(), nil, graph.Options{}); err != first {
		t.Errorf("Compile returned %v", err)
	}
}

// TestBFloat16Activations: half the memory, and results within the rounding of 8 bits.
func TestBFloat16Activations(t *testing.T) {
	n := newNet()
	exact := run(t, n, []*graph.Node{n.pred}, graph.Options{})[0]
	rounded := run(t, n, []*graph.Node{n.pred}, graph.Options{DType: kernel.BF16})[0]
	var largest, worst float32
	for i := range exact {
		largest, worst = max(largest, exact[i], -exact[i]), max(worst, exact[i]-rounded[i], rounded[i]-exact[i])
	}
	if worst == 0 || worst > 0.05*largest {
		t.Errorf("bfloat16 differs by %g where the largest is %g", worst, largest)
	}
}
