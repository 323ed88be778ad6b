package local_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
)

// TestDreamBoothGoesOnBitForBit: a run that was stopped and resumed exports what an uninterrupted one does, with the text
// encoder trained for a while and an average kept.
func TestDreamBoothGoesOnBitForBit(t *testing.T) {
	skipUnderRace(t)
	eng := newEngine(t)
	job := wholeJob(t, pictures(t, 2))
	job.Settings = map[string]string{"text-encoder": "on", "text-until": "3"}
	job.EMA = 0.9
	whole, err := eng.Train(context.Background(), job, func(engine.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	want := tensors(t, whole.Export)
	for _, stop := range []int{2, 5} {
		job.Out = filepath.Join(t.TempDir(), "out")
		ctx, cancel := context.WithCancel(context.Background())
		_, err := eng.Train(ctx, job, func(e engine.Event) {
			if e.Kind == engine.KindStep && e.Step.Step == stop {
				cancel()
			}
		})
		if engine.KindOf(err) != engine.Cancelled {
			t.Fatal(err)
		}
		again := job
		again.Resume = true
		result, err := eng.Train(context.Background(), again, func(engine.Event) {})
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(want, tensors(t, result.Export)) {
			t.Errorf("stopped after step %d, the resumed run gives other values", stop)
		}
	}
}
