package ref

import (
	"math"

	"easel/engine"
	"easel/engine/kernel"
)

func (backend) Adam(p, g, m, v *tensor, h kernel.AdamStep) error {
	const op = "Adam"
	if err := ofType(op, kernel.F32, p, g, m, v); err != nil {
		return err
	}
	if err := fits(op, sameShape(p, g, m, v), p, g, m, v); err != nil {
		return err
	}
	if h.Step < 1 {
		return engine.Errorf(op, "", engine.Internal, "step %d; the first is 1", h.Step)
	}
	beta1, beta2, rate := float64(h.Beta1), float64(h.Beta2), float64(h.Rate)
	correct1 := 1 - math.Pow(beta1, float64(h.Step))
	correct2 := 1 - math.Pow(beta2, float64(h.Step))
	pv, gv, mv, vv := p.F32(), g.F32(), m.F32(), v.F32()
	parallel(len(pv), func(from, to int) {
		for i := from; i < to; i++ {
			grad := float64(gv[i]) * float64(h.GradScale)
			m1 := beta1*float64(mv[i]) + (1-beta1)*grad
			m2 := beta2*float64(vv[i]) + (1-beta2)*grad*grad
			step := m1 / correct1 / (math.Sqrt(m2/correct2) + float64(h.Eps))
			pv[i] = float32(float64(pv[i])*(1-rate*float64(h.WeightDecay)) - rate*step)
			mv[i], vv[i] = float32(m1), float32(m2)
		}
	})
	return nil
}
