package ref_test

import (
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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

// TestActivationsOfHypernetworks has values and slopes of torch 2.15.
func TestActivationsOfHypernetworks(t *testing.T) {
	b := ref.New()
	for f, want := range map[kernel.Activation][2][]float32{
		kernel.ReLU:      {{0, 0, 0.75}, {0, 0, 1}},
		kernel.LeakyReLU: {{-0.024999999, 0, 0.75}, {0.0099999998, 0.0099999998, 1}},
		kernel.ELU:       {{-0.91791499, 0, 0.75}, {0.082084998, 1, 1}},
		kernel.Tanh:      {{-0.98661429, 0, 0.63514894}, {0.026592249, 1, 0.59658581}},
		kernel.Sigmoid:   {{0.075858176, 0.5, 0.67917871}, {0.070103712, 0.25, 0.21789499}},
		kernel.Softsign:  {{-0.71428573, 0, 0.42857143}, {0.081632659, 1, 0.32653064}},
		kernel.Mish:      {{-0.19681619, 0, 0.61001837}, {-0.10974357, 0.60000002, 0.98575836}},
	} {
		x, one := kernel.FromF32([]float32{-2.5, 0, 0.75}, 3), kernel.FromF32([]float32{1, 1, 1}, 3)
		y, dx := kernel.New(kernel.F32, 3), kernel.New(kernel.F32, 3)
		if err := b.Activate(y, x, f); err != nil {
			t.Fatal(err)
		}
		if err := b.ActivateGrad(dx, x, one, f); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, [2][]float32{y.F32(), dx.F32()}, cmpopts.EquateApprox(1e-6, 1e-7)); diff != "" {
			t.Errorf("%d: %s", f, diff)
		}
	}
}

func TestThreadsAreThoseOfGo(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	if got := kernel.Threads(ref.New()); got != 3 {
		t.Errorf("%d threads, want 3", got)
	}
}
