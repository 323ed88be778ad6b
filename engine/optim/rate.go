package optim

import (
	"math"
	"slices"
	"strings"

	"easel/engine"
)

// RateSchedule gives the learning rate of each step; the formulas are those of diffusers' optimization.py, and PyTorch's
// OneCycleLR for "one_cycle" (Smith and Topin, arXiv 1708.07120). Made by NewRateSchedule.
type RateSchedule struct {
	Base   float64 // the highest rate
	Warmup int     // steps over which the rate rises from 0; "constant" has none; "one_cycle": to the highest rate
	Cycles int     // "cosine_with_restarts": falls, 1 at first
	Power  float64 // "polynomial": of the fall, 1 (a line) at first
	End    float64 // "polynomial": last rate, 1e-7 at first

	fall  func(r *RateSchedule, progress float64) float64 // rate for progress 0 to 1 after the warm-up
	whole func(r *RateSchedule, step, total int) float64  // of a schedule with a warm-up of its own; nil for others
}

type rateKind struct {
	name  string
	fall  func(r *RateSchedule, progress float64) float64
	whole func(r *RateSchedule, step, total int) float64
}

var rateKinds = []rateKind{
	{"constant", level, nil},
	{"constant_with_warmup", level, nil},
	{"linear", func(r *RateSchedule, progress float64) float64 { return r.Base * (1 - progress) }, nil},
	{"cosine", func(r *RateSchedule, progress float64) float64 { return r.Base * halfWave(progress) }, nil},
	{"cosine_with_restarts", func(r *RateSchedule, progress float64) float64 {
		if progress == 1 {
			return 0
		}
		return r.Base * halfWave(math.Mod(float64(r.Cycles)*progress, 1))
	}, nil},
	{"polynomial", func(r *RateSchedule, progress float64) float64 {
		end := min(r.End, r.Base)
		return (r.Base-end)*math.Pow(1-progress, r.Power) + end
	}, nil},
	{"one_cycle", nil, oneCycle},
}

// The constants of PyTorch's OneCycleLR.
const (
	oneCycleRise  = 0.3  // of the steps, where no warm-up is given
	oneCycleStart = 25.0 // the rate begins at Base divided by it
	oneCycleEnd   = 1e4  // and ends at its beginning divided by this
)

// oneCycle rises to Base and falls to nearly nothing, both along half a cosine wave.
func oneCycle(r *RateSchedule, step, total int) float64 {
	start := r.Base / oneCycleStart
	last := float64(max(total-1, 1))
	top := oneCycleRise*float64(total) - 1
	if r.Warmup > 0 {
		top = float64(r.Warmup)
	}
	at := min(float64(step), last)
	if at < top {
		return r.Base + (start-r.Base)*halfWave(at/top)
	}
	top = max(top, 0)
	end := start / oneCycleEnd
	if last <= top {
		return r.Base
	}
	return end + (r.Base-end)*halfWave((at-top)/(last-top))
}

func level(r *RateSchedule, _ float64) float64 { return r.Base }

func halfWave(progress float64) float64 { return (1 + math.Cos(math.Pi*progress)) / 2 }

// RateNames lists the schedules: "constant", "constant_with_warmup", "linear", "cosine", "cosine_with_restarts",
// "polynomial", "one_cycle".
func RateNames() []string {
	names := make([]string, len(rateKinds))
	for i, k := range rateKinds {
		names[i] = k.name
	}
	return names
}

// NewRateSchedule makes a schedule by name. "constant" ignores the warm-up. An unknown name, a base rate that is
// not a positive number or a negative warm-up is engine.BadInput.
func NewRateSchedule(name string, base float64, warmup int) (*RateSchedule, error) {
	const op = "set up the learning rate"
	i := slices.IndexFunc(rateKinds, func(k rateKind) bool { return k.name == name })
	switch {
	case i < 0:
		return nil, engine.Errorf(op, "", engine.BadInput, "no schedule %q; there are %s", name, strings.Join(RateNames(), ", "))
	case !(base > 0) || math.IsInf(base, 0):
		return nil, engine.Errorf(op, "", engine.BadInput, "rate %g must be above 0", base)
	case warmup < 0:
		return nil, engine.Errorf(op, "", engine.BadInput, "a warm-up of %d steps; it must not be negative", warmup)
	case name == "constant":
		warmup = 0
	}
	return &RateSchedule{Base: base, Warmup: warmup, Cycles: 1, Power: 1, End: 1e-7, fall: rateKinds[i].fall, whole: rateKinds[i].whole}, nil
}

// At is the rate of a step, 0 for the first of total. With a warm-up it starts from 0; after total it stays.
func (r *RateSchedule) At(step, total int) float64 {
	if r.whole != nil {
		return r.whole(r, step, total)
	}
	if step < r.Warmup {
		return r.Base * float64(step) / float64(r.Warmup)
	}
	progress := float64(step-r.Warmup) / float64(max(1, total-r.Warmup))
	return r.fall(r, min(progress, 1))
}
