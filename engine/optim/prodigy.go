package optim

import (
	"math"

	"easel/engine/kernel"
)

// prodigyStart is d before the first step, d0.
const prodigyStart = 1e-6

// prodigy is Adam that estimates its learning rate (Mishchenko and Defazio, arXiv 2306.06101; as prodigyopt 1.1
// with growth_rate infinite, d_coef 1 and β3 = √β2). Its rate is 1, or follows a schedule from 1. A Param.Rate
// multiplies the parameter's step only, not its part in d. It keeps four numbers per parameter.
type prodigy struct {
	memory
	settings Settings
}

// prodigyMemory is what prodigy keeps of one parameter: running means of d·g, d²·g² and of the gradients that
// d's denominator sums, and the value before the first step.
type prodigyMemory struct{ m, v, s, start []float32 }

func (*prodigy) Name() string { return "prodigy" }

// Distance is d.
func (o *prodigy) Distance() float64 {
	if i, ok := o.index["d"]; ok {
		return number{o.states[i].Tensor.Data}.get()
	}
	return prodigyStart
}

func (o *prodigy) Step(_ kernel.Backend, params []Param, rate float64, gradScale float32) error {
	if err := check(params); err != nil {
		return err
	}
	step, err := o.counter("step")
	if err != nil {
		return err
	}
	distance, err := o.number("d", prodigyStart)
	if err != nil {
		return err
	}
	numerator, err := o.number("d_numerator", 0)
	if err != nil {
		return err
	}
	memories := make([]prodigyMemory, len(params))
	for i, p := range params {
		if memories[i], err = o.recall(p); err != nil {
			return err
		}
	}
	r, err := o.rounder(o.settings.Seed, params)
	if err != nil {
		return err
	}
	if rate == 0 { // the first step of a warm-up; prodigyopt leaves everything as it is
		return nil
	}

	d := distance.get()
	stepRate := d * rate * o.correction(int(*step))
	num, denom := math.Sqrt(o.settings.Beta2)*numerator.get(), 0.0
	for i, p := range params {
		toward, size := o.accumulate(p, memories[i], d, stepRate, float64(gradScale))
		num += d / prodigyStart * stepRate * toward
		denom += size
	}
	if denom == 0 { // no gradient yet
		return nil
	}
	d = max(d, num/denom)
	for i, p := range params {
		if err := o.move(r, p, memories[i], d, stepRate*float64(p.Rate)); err != nil {
			return err
		}
	}
	*step++
	distance.set(d)
	numerator.set(num)
	return nil
}

func (o *prodigy) recall(p Param) (r prodigyMemory, err error) {
	for _, part := range []struct {
		slice  *[]float32
		suffix string
	}{{&r.m, "m"}, {&r.v, "v"}, {&r.s, "s"}} {
		if *part.slice, err = o.moment(p, part.suffix); err != nil {
			return r, err
		}
	}
	start, made, err := o.tensor(p.Name+"/start", kernel.F32, p.Value.Shape...)
	if err != nil {
		return r, err
	}
	r.start = start.F32()
	if made {
		p.Value.ReadF32(r.start)
	}
	return r, nil
}

// correction is Adam's bias correction as one factor, after a number of finished steps.
func (o *prodigy) correction(finished int) float64 {
	if !o.settings.BiasCorrection {
		return 1
	}
	n := float64(finished + 1)
	return math.Sqrt(1-math.Pow(o.settings.Beta2, n)) / (1 - math.Pow(o.settings.Beta1, n))
}

// accumulate takes one gradient into the means, and returns ⟨g, start - value⟩ and Σ|s|.
func (o *prodigy) accumulate(p Param, r prodigyMemory, d, stepRate, gradScale float64) (toward, size float64) {
	values, grads := floats(p.Value), p.Grad.F32()
	beta1, beta2 := o.settings.Beta1, o.settings.Beta2
	beta3, part := math.Sqrt(beta2), d/prodigyStart*stepRate
	if o.settings.Safeguard {
		part = d / prodigyStart * d
	}
	for i, g32 := range grads {
		g := float64(g32) * gradScale
		toward += g * (float64(r.start[i]) - float64(values[i]))
		r.m[i] = float32(beta1*float64(r.m[i]) + d*(1-beta1)*g)
		r.v[i] = float32(beta2*float64(r.v[i]) + d*d*(1-beta2)*g*g)
		s := beta3*float64(r.s[i]) + part*g
		r.s[i] = float32(s)
		size += math.Abs(s)
	}
	return toward, size
}

func (o *prodigy) move(r rounder, p Param, s prodigyMemory, d, stepRate float64) error {
	keep, eps := 1-stepRate*o.settings.WeightDecay, d*o.settings.Eps
	return r.edit(p, func(values []float32, from int) error {
		for i, v := range values {
			values[i] = float32(float64(v)*keep - stepRate*float64(s.m[from+i])/(math.Sqrt(float64(s.v[from+i]))+eps))
		}
		return nil
	})
}
