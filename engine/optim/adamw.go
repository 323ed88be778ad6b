package optim

import "easel/engine/kernel"

// adamW is Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101), computed by the backend.
type adamW struct {
	memory
	parts
	settings Settings
}

func (*adamW) Name() string { return "adamw" }

func (o *adamW) Step(b kernel.Backend, params []Param, rate float64, gradScale float32) error {
	if err := check(params); err != nil {
		return err
	}
	step, err := o.counter("step")
	if err != nil {
		return err
	}
	type moments struct{ m, v *kernel.Tensor }
	all := make([]moments, len(params))
	for i, p := range params {
		if all[i].m, _, err = o.tensor(p.Name+"/m", kernel.F32, p.Value.Shape...); err != nil {
			return err
		}
		if all[i].v, _, err = o.tensor(p.Name+"/v", kernel.F32, p.Value.Shape...); err != nil {
			return err
		}
	}
	o.count(step)
	for i, p := range params {
		err := b.Adam(p.Value, p.Grad, all[i].m, all[i].v, kernel.AdamStep{
			Rate:        float32(rate * float64(p.Rate)),
			Beta1:       float32(o.settings.Beta1),
			Beta2:       float32(o.settings.Beta2),
			Eps:         float32(o.settings.Eps),
			WeightDecay: float32(o.settings.WeightDecay),
			Step:        int(*step),
			GradScale:   gradScale,
		})
		if err != nil {
			return err
		}
	}
	return nil
}
