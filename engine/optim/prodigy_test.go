package optim_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/optim"
)

// plainProdigy is the step of spec/training.md §5.8 for one number, in its order and without short cuts.
type plainProdigy struct {
	beta1, beta2, decay            float64
	correct, safeguard             bool
	step                           int
	p, p0, m, v, s, d, dMax, numer float64
}

func (o *plainProdigy) update(g, lr float64) {
	const d0, eps = 1e-6, 1e-8
	beta3, bc := math.Sqrt(o.beta2), 1.0
	o.step++
	if o.correct {
		bc = math.Sqrt(1-math.Pow(o.beta2, float64(o.step))) / (1 - math.Pow(o.beta1, float64(o.step)))
	}
	d := o.d
	dlr := d * lr * bc
	o.numer = beta3*o.numer + d/d0*dlr*g*(o.p0-o.p)
	o.m = o.beta1*o.m + d*(1-o.beta1)*g
	o.v = o.beta2*o.v + d*d*(1-o.beta2)*g*g
	if o.safeguard {
		o.s = beta3*o.s + d/d0*d*g
	} else {
		o.s = beta3*o.s + d/d0*dlr*g
	}
	hat := o.numer / math.Abs(o.s)
	if d == d0 {
		o.d = max(d, hat)
	}
	o.dMax = max(o.dMax, hat)
	o.d = o.dMax
	o.p += -dlr*o.decay*o.p - dlr*o.m/(math.Sqrt(o.v)+o.d*eps)
}

// With betas far from 1 every one of them shows; the golden runs, whose tolerance is wide, hide β3.
func TestProdigyFollowsItsFormula(t *testing.T) {
	for _, flags := range []struct{ correct, safeguard bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		want := plainProdigy{beta1: 0.5, beta2: 0.25, decay: 0.1, correct: flags.correct, safeguard: flags.safeguard,
			p: 2, p0: 2, d: 1e-6, dMax: 1e-6}
		o := mustNew(t, "prodigy", func(s *optim.Settings) {
			s.Beta1, s.Beta2, s.WeightDecay, s.BiasCorrection, s.Safeguard = 0.5, 0.25, 0.1, flags.correct, flags.safeguard
		})
		p := optim.Param{Name: "p", Value: kernel.FromF32([]float32{2}, 1), Grad: kernel.New(kernel.F32, 1), Rate: 1}
		for i := range 25 {
			// Far from the minimum the gradient is constant, which keeps rounding from growing.
			g, lr := 1+0.5*math.Sin(float64(i)), 1-0.02*float64(i)
			p.Grad.F32()[0] = float32(g)
			want.update(float64(p.Grad.F32()[0]), lr)
			want.p = float64(float32(want.p)) // values are stored in float32, and so early only their last bits move
			if err := o.Step(ref.New(), []optim.Param{p}, lr, 1); err != nil {
				t.Fatal(err)
			}
		}
		d := o.(optim.Adaptive).Distance()
		if want.d < 2e-6 {
			t.Fatalf("d is %g: it never moved, and the test shows little", want.d)
		}
		if math.Abs(d/want.d-1) > 1e-5 || math.Abs(float64(p.Value.F32()[0])-want.p) > 1e-6 {
			t.Errorf("%+v: d %g and value %g, want %g and %g", flags, d, p.Value.F32()[0], want.d, want.p)
		}
	}
}

// The first step of a warm-up has rate 0 and counts for nothing.
func TestProdigyIgnoresRateZero(t *testing.T) {
	plain, warm := smallProblem(), smallProblem()
	a, b := mustNew(t, "prodigy", nil), mustNew(t, "prodigy", nil)
	for _, p := range warm {
		p.Grad.F32()[0] = 1
	}
	if err := b.Step(ref.New(), warm, 0, 1); err != nil {
		t.Fatal(err)
	}
	steps(t, a, plain, 1, 5)
	steps(t, b, warm, 1, 5)
	if diff := cmp.Diff(values(plain), values(warm)); diff != "" {
		t.Error(diff)
	}
}
