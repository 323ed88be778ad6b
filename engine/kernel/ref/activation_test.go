package ref_test

import (
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine/kernel"
	"easel/engine/kernel/ref"
)

// TestHardSwishAtItsCorners: torch 2.15 gives these slopes at exactly -3 and 3.
func TestHardSwishAtItsCorners(t *testing.T) {
	x, one := kernel.FromF32([]float32{-3, 3}, 2), kernel.FromF32([]float32{1, 1}, 2)
	y, dx := kernel.New(kernel.F32, 2), kernel.New(kernel.F32, 2)
	b := ref.New()
	if err := b.Activate(y, x, kernel.HardSwish); err != nil {
		t.Fatal(err)
	}
	if err := b.ActivateGrad(dx, x, one, kernel.HardSwish); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float32{0, 3}, y.F32()); diff != "" {
		t.Errorf("values: %s", diff)
	}
	if diff := cmp.Diff([]float32{0, 1}, dx.F32()); diff != "" {
		t.Errorf("slopes: %s", diff)
	}
}

func TestThreadsAreThoseOfGo(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	if got := kernel.Threads(ref.New()); got != 3 {
		t.Errorf("%d threads, want 3", got)
	}
}
