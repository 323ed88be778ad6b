package graph_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
)

// withUpdates runs a deep net whose parameters are spoilt as soon as they may be, and returns the gradients that it handed out.
func withUpdates(t *testing.T, level graph.Recompute, ctx context.Context, change func(k int) error) ([][]float32, *graph.VM, error) {
	t.Helper()
	n := deepNet(3)
	var updates []graph.Update
	for k, g := range n.g.Gradients(n.loss, n.parameters...) {
		updates = append(updates, graph.Update{Parameter: n.parameters[k], Gradient: g})
	}
	vm, err := graph.Compile(n.g, ref.New(), []*graph.Node{n.loss}, graph.Options{Recompute: level, Updates: updates})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []*graph.Node{n.x, n.target} {
		if err := vm.Let(in, n.values[in]); err != nil {
			t.Fatal(err)
		}
	}
	handed := make([][]float32, len(updates))
	vm.OnUpdate(func(k int, gradient *kernel.Tensor) error {
		if handed[k] != nil {
			t.Errorf("parameter %d is updated twice", k)
		}
		handed[k] = gradient.Floats()
		for i := range n.values[n.parameters[k]].F32() {
			n.values[n.parameters[k]].F32()[i] = 1e6
		}
		return change(k)
	})
	return handed, vm, vm.Run(ctx)
}

// TestUpdatesWithinARunSeeTheSameGradients, nobody reads a parameter that was changed, and no more memory is needed.
func TestUpdatesWithinARunSeeTheSameGradients(t *testing.T) {
	for level := graph.KeepAll; level <= graph.MostRecompute; level++ {
		plain := deepNet(3)
		outputs := append(plain.g.Gradients(plain.loss, plain.parameters...), plain.loss)
		want := run(t, plain, outputs, graph.Options{Recompute: level})
		got, vm, err := withUpdates(t, level, t.Context(), func(int) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[:len(got)], got); diff != "" {
			t.Errorf("level %d: %s", level, diff)
		}
		all, err := graph.Compile(plain.g, ref.New(), outputs, graph.Options{Recompute: level})
		if err != nil {
			t.Fatal(err)
		}
		if vm.Bytes() > all.Bytes() {
			t.Errorf("level %d takes %d bytes, %d where all gradients are kept", level, vm.Bytes(), all.Bytes())
		}
	}
}

// TestARunIsNotCancelledBetweenUpdates, only before the first; an error of one ends it.
func TestARunIsNotCancelledBetweenUpdates(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	got, _, err := withUpdates(t, graph.Cheap, ctx, func(int) error { cancel(); return nil })
	if err != nil {
		t.Error(err)
	}
	for k := range got {
		if got[k] == nil {
			t.Errorf("parameter %d was not updated", k)
		}
	}
	if _, _, err := withUpdates(t, graph.Cheap, ctx, func(int) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	mine := errors.New("mine")
	if _, _, err := withUpdates(t, graph.Cheap, t.Context(), func(int) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("an update's error: %v", err)
	}
}
