package optim_test

import (
	"math"
	"testing"

	"easel/engine"
	"easel/engine/internal/golden"
	"easel/engine/optim"
)

func TestGoldenRates(t *testing.T) {
	var want struct {
		Base      float64 `json:"base_lr"`
		Warmup    int     `json:"warmup_steps"`
		Total     int     `json:"total_steps"`
		Schedules map[string]struct {
			Args struct {
				Cycles *int     `json:"num_cycles"`
				Power  *float64 `json:"power"`
			} `json:"args"`
			Rates []float64 `json:"lr"`
		} `json:"schedules"`
	}
	golden.JSON(t, "lr_schedules.json", &want)
	for name, schedule := range want.Schedules {
		kind := name
		if name == "polynomial_power1" {
			kind = "polynomial"
		}
		r, err := optim.NewRateSchedule(kind, want.Base, want.Warmup)
		if err != nil {
			t.Fatal(err)
		}
		if schedule.Args.Cycles != nil {
			r.Cycles = *schedule.Args.Cycles
		}
		if schedule.Args.Power != nil {
			r.Power = *schedule.Args.Power
		}
		for i, rate := range schedule.Rates {
			// float64 formulas written in another order of operations
			if got := r.At(i, want.Total); !(math.Abs(got-rate) <= 1e-12*want.Base) {
				t.Errorf("%s at %d: %g, want %g", name, i, got, rate)
				break
			}
		}
	}
}

func TestRatesStayWithinTheBase(t *testing.T) {
	for _, name := range optim.RateNames() {
		for _, warmup := range []int{0, 1, 10, 50} {
			r, err := optim.NewRateSchedule(name, 1, warmup)
			if err != nil {
				t.Fatal(err)
			}
			for _, total := range []int{0, 1, 10, 40} {
				for step := range 60 {
					if v := r.At(step, total); !(v >= 0 && v <= 1) {
						t.Errorf("%s, warm-up %d, step %d of %d: %g", name, warmup, step, total, v)
					}
				}
			}
		}
	}
}

func TestNewRateScheduleRefuses(t *testing.T) {
	for _, bad := range []struct {
		name   string
		base   float64
		warmup int
	}{{"step", 1, 0}, {"linear", 0, 0}, {"linear", math.NaN(), 0}, {"linear", math.Inf(1), 0}, {"cosine", 1, -1}} {
		if _, err := optim.NewRateSchedule(bad.name, bad.base, bad.warmup); err == nil || engine.KindOf(err) != engine.BadInput {
			t.Errorf("%v: error %v, want one of kind bad input", bad, err)
		}
	}
}

// TestOneCycle compares with PyTorch's documented phases: OneCycleLR(max_lr, total_steps) begins at max_lr/25, is at
// max_lr after pct_start·total - 1 steps and at max_lr/25/10⁴ in the last, half a cosine wave between.
func TestOneCycle(t *testing.T) {
	wave := func(from, to, part float64) float64 { return to + (from-to)/2*(1+math.Cos(math.Pi*part)) }
	for _, c := range []struct {
		warmup, top int // the step with the highest rate
	}{{0, 29}, {10, 10}} {
		r, err := optim.NewRateSchedule("one_cycle", 0.5, c.warmup)
		if err != nil {
			t.Fatal(err)
		}
		for step := range 110 {
			at := min(step, 99)
			want := wave(0.02, 0.5, float64(at)/float64(c.top))
			if at > c.top {
				want = wave(0.5, 2e-6, float64(at-c.top)/float64(99-c.top))
			}
			if got := r.At(step, 100); math.Abs(got-want) > 1e-12 {
				t.Fatalf("warm-up %d, step %d: %g, want %g", c.warmup, step, got, want)
			}
		}
	}
}
