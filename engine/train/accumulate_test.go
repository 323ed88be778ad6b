package train_test

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/train"
)

// TestAccumulatedStepsAgainstGolden makes the reference's steps with its batches taken apart: their mean gradient is the
// whole batch's, before and after clipping.
func TestAccumulatedStepsAgainstGolden(t *testing.T) {
	f := golden.Open(t, "train/lora.safetensors")
	meta := f.Meta()
	number := func(name string) float64 {
		n, err := strconv.ParseFloat(meta[name], 64)
		if err != nil {
			t.Fatalf("metadata %s: %v", name, err)
		}
		return n
	}
	settings := map[string]string{"rank": meta["rank"], "alpha": meta["alpha"], "targets": "attention+ff", "text-encoder": "on"}
	tr := newTrainer(t, loadTiny(t), settings, ref.New(), number("lr"), number("clip_norm"), graph.Options{})
	s := f.Tensor("in/latents").Shape
	if err := tr.Prepare(1, s[3], s[4]); err != nil {
		t.Fatal(err)
	}
	init := map[string][]float32{}
	for _, p := range tr.Params() {
		init[p.Name] = f.Tensor("init/" + p.Name).F32()
		copy(p.Value.F32(), init[p.Name])
	}
	var losses, norms []float32
	for step := range s[0] {
		r, err := tr.Step(context.Background(), step, apart(goldenBatch(t, f, tr, step))...)
		if err != nil {
			t.Fatal(err)
		}
		losses, norms = append(losses, float32(r.Loss)), append(norms, float32(r.GradNorm))
	}
	f.Check(t, "loss", "loss", losses)
	f.Check(t, "grad_norm", "grad_norm", norms)
	for _, p := range tr.Params() {
		f.CheckAfter(t, "after", "after/"+p.Name, p.Value.F32(), init[p.Name])
	}
}

// apart makes a batch of each row.
func apart(b train.Batch) []train.Batch {
	var all []train.Batch
	shape := append([]int{1}, b.Latents.Shape[1:]...)
	for i, step := range b.Timesteps {
		ids := kernel.New(kernel.I32, 1, b.IDs.Shape[1])
		copy(ids.I32(), b.IDs.I32()[i*ids.Len():])
		n := kernel.Len(shape)
		all = append(all, train.Batch{Latents: kernel.FromF32(b.Latents.F32()[i*n:(i+1)*n], shape...),
			Noise: kernel.FromF32(b.Noise.F32()[i*n:(i+1)*n], shape...), Timesteps: []int{step}, IDs: ids})
	}
	return all
}

// TestBatchesOfSeveralShapes: a step whose batches differ in shape has the mean of their losses, and leaves the compiled
// graphs good for each other.
func TestBatchesOfSeveralShapes(t *testing.T) {
	m := loadTiny(t)
	settings := map[string]string{"rank": "1", "text-encoder": "off"}
	loss := func(memory *graph.Memory, steps ...[]train.Batch) []float64 {
		tr := newTrainer(t, m, settings, ref.New(), 1e-3, 1, graph.Options{Memory: memory})
		var losses []float64
		for i, batches := range steps {
			r, err := tr.Step(context.Background(), i, batches...)
			if err != nil {
				t.Fatal(err)
			}
			losses = append(losses, r.Loss)
		}
		return losses
	}
	square, wide := randomBatch(m, 2, 8, 8), randomBatch(m, 1, 8, 16)
	var shared graph.Memory
	defer shared.Close()
	both := loss(&shared, []train.Batch{square, wide}, []train.Batch{wide, square}, []train.Batch{square})
	again := loss(nil, []train.Batch{square, wide}, []train.Batch{wide, square}, []train.Batch{square})
	if !slices.Equal(both, again) {
		t.Errorf("losses %v with shared memory, %v without", both, again)
	}
	if want := (loss(nil, []train.Batch{square})[0] + loss(nil, []train.Batch{wide})[0]) / 2; both[0] != want {
		t.Errorf("loss %g of both, want %g", both[0], want)
	}
	if both[1] == both[0] || both[2] == both[1] {
		t.Errorf("nothing was learnt: %v", both)
	}
}
