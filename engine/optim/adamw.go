package optim

import "easel/engine/kernel"

// adamW is Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101), computed by the backend.
type adamW struct {
	memory
	parts
	settings Settings
}

// moments are the running means of g and g².
type moments struct{ m, v *kernel.Tensor }

func (*adamW) Name() string { return "adamw" }

func (o *adamW) Step(b kernel.Backend, params []Param, rate float64, gradScale float32) error {
	if err := check(params); err != nil {
		return err
	}
	step, err := o.counter("step")
	if err != nil {
		return err
	}
	all := make([]moments, len(params))
	for i, p := range params {
		if all[i], err = o.recall(p); err != nil {
			return err
		}
	}
	r, err := o.rounder(o.settings.Seed, params)
	if err != nil {
		return err
	}
	o.count(step)
	for i, p := range params {
		if err := b.Adam(p.Value, p.Grad, all[i].m, all[i].v, o.adamStep(r, p, rate, gradScale, int(*step))); err != nil {
			return err
		}
	}
	return nil
}

func (o *adamW) recall(p Param) (s moments, err error) {
	if s.m, _, err = o.tensor(p.Name+"/m", kernel.F32, p.Value.Shape...); err != nil {
		return s, err
	}
	s.v, _, err = o.tensor(p.Name+"/v", kernel.F32, p.Value.Shape...)
	return s, err
}

// adamStep are the numbers of a parameter's step.
func (o *adamW) adamStep(r rounder, p Param, rate float64, gradScale float32, step int) kernel.AdamStep {
	return kernel.AdamStep{
		Rate:        float32(rate * float64(p.Rate)),
		Beta1:       float32(o.settings.Beta1),
		Beta2:       float32(o.settings.Beta2),
		Eps:         float32(o.settings.Eps),
		WeightDecay: float32(o.settings.WeightDecay),
		Step:        step,
		GradScale:   gradScale,
		Rounding:    r.of(p),
	}
}
