package train

import (
	"context"
	"math"

	"easel/engine"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/optim"
)

// goOn makes the parameters that a step changes the live ones: those whose time is not over.
func (t *Trainer) goOn(step int) {
	over := func(i int) bool { return t.until[i] > 0 && step >= t.until[i] }
	var live []optim.Param
	for i, p := range t.params {
		if !over(i) {
			live = append(live, p)
		}
	}
	if len(live) == len(t.params) {
		live = t.params
	}
	if len(live) != len(t.live) {
		t.sums = nil // were for others
	}
	t.live = live
}

// finite is the error for a loss or gradient norm that is no number; changed says that parameters have moved already.
func finite(step int, loss, norm float64, changed bool) error {
	if sum := loss + norm; !math.IsNaN(sum) && !math.IsInf(sum, 0) {
		return nil
	}
	cure := "a lower learning rate may help"
	if changed {
		cure = "the weights are spoilt: resume from the last checkpoint; " + cure
	}
	return engine.Errorf("train", "", engine.NaN, "step %d gave a loss of %g and a gradient of %g; %s", step+1, loss, norm, cure)
}

// stepInPass makes a step that changes each parameter as soon as its gradient is there. Gradients are clipped by the norm
// of the last step's together, or of those seen so far in this one where that is larger: that of all is not known before
// the first must be used.
func (t *Trainer) stepInPass(ctx context.Context, step int, graphs []*stepGraph, batches []Batch) (Result, error) {
	optimizer, ok := t.Optimizer.(optim.Partial)
	if !ok || len(batches) != 1 {
		return Result{}, engine.Errorf("train", "", engine.Internal, "%s with %d batches cannot step within a pass", t.Optimizer.Name(), len(batches))
	}
	g := graphs[0]
	rate, squares, changed := t.Rate.At(step, t.Steps), 0.0, false
	optimizer.Begin()
	g.vm.OnUpdate(func(k int, gradient *kernel.Tensor) error {
		more, err := t.Backend.SumSquares(gradient)
		if err != nil {
			return err
		}
		squares += more
		norm := math.Sqrt(squares)
		if err := finite(step, g.lossValue(), norm, changed); err != nil {
			return err
		}
		scale := float32(1)
		if t.ClipNorm > 0 {
			scale = optim.ClipScale(max(norm, t.lastNorm), t.ClipNorm)
		}
		p := t.live[k]
		p.Grad = gradient
		changed = true
		return optimizer.Step(t.Backend, []optim.Param{p}, rate, scale)
	})
	loss, err := g.run(ctx, t.inputs(batches[0]))
	if err != nil {
		return Result{}, err
	}
	t.lastNorm = math.Sqrt(squares)
	return Result{loss, t.lastNorm, rate}, nil
}

// updates pairs the live parameters' leaves with their gradients.
func updates(leaves, gradients []*graph.Node) []graph.Update {
	all := make([]graph.Update, len(leaves))
	for i := range leaves {
		all[i] = graph.Update{Parameter: leaves[i], Gradient: gradients[i]}
	}
	return all
}

// average takes the values after a step into the running average and puts it in their place, where one is kept.
func (t *Trainer) average() error {
	if t.Average == nil {
		return nil
	}
	if err := t.Average.Update(t.params); err != nil {
		return err
	}
	return t.swapAverage()
}

// swapAverage exchanges the trained values with their average, where one is kept: between steps the parameters hold that.
func (t *Trainer) swapAverage() error {
	if t.Average == nil {
		return nil
	}
	return t.Average.Swap(t.params)
}
