package optim

import "easel/engine/kernel"

// lion steps by the sign of a mean of gradients (Chen et al., arXiv 2302.06675, algorithm 2). It keeps one number
// per parameter and wants a rate some 5 times smaller than AdamW's.
type lion struct {
	memory
	settings Settings
}

func (*lion) Name() string { return "lion" }

func (o *lion) Step(_ kernel.Backend, params []Param, rate float64, gradScale float32) error {
	if err := check(params); err != nil {
		return err
	}
	means := make([][]float32, len(params))
	for i, p := range params {
		var err error
		if means[i], err = o.moment(p, "m"); err != nil {
			return err
		}
	}
	r, err := o.rounder(o.settings.Seed, params)
	if err != nil {
		return err
	}
	for i, p := range params {
		err := r.edit(p, func(values []float32, from int) error {
			o.update(values, p.Grad.F32()[from:][:len(values)], means[i][from:][:len(values)], rate*float64(p.Rate), float64(gradScale))
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *lion) update(values, grads, mean []float32, rate, gradScale float64) {
	beta1, beta2, keep := o.settings.Beta1, o.settings.Beta2, 1-rate*o.settings.WeightDecay
	for i, g32 := range grads {
		g, m := float64(g32)*gradScale, float64(mean[i])
		values[i] = float32(float64(values[i])*keep - rate*sign(beta1*m+(1-beta1)*g))
		mean[i] = float32(beta2*m + (1-beta2)*g)
	}
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x // 0, or NaN so that it shows
}
