package ref

import (
	"math"

	"easel/engine"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
)

func (backend) Adam(p, g, m, v *tensor, h kernel.AdamStep) error {
	const op = "Adam"
	if err := ofType(op, kernel.F32, g, m, v); err != nil {
		return err
	}
	if err := adamFits(op, p, g, h); err != nil {
		return err
	}
	if err := fits(op, sameShape(p, m, v), p, m, v); err != nil {
		return err
	}
	beta1, beta2, rate := float64(h.Beta1), float64(h.Beta2), float64(h.Rate)
	correct1 := 1 - math.Pow(beta1, float64(h.Step))
	correct2 := 1 - math.Pow(beta2, float64(h.Step))
	pv, gv, mv, vv := input(p), g.F32(), m.F32(), v.F32()
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
	roundInto(p, pv, h.Rounding)
	return nil
}

// adamFits checks the parameter, its gradient and the step's number.
func adamFits(op string, p, g *tensor, h kernel.AdamStep) error {
	if err := floating(op, p, g); err != nil {
		return err
	}
	if p.DType == kernel.F16 {
		return engine.Errorf(op, "", engine.Internal, "parameters are F16, want F32 or BF16")
	}
	if h.Step < 1 {
		return engine.Errorf(op, "", engine.Internal, "step %d; the first is 1", h.Step)
	}
	return fits(op, sameShape(p, g), p, g)
}

// roundInto stores the new values of a BF16 parameter; those of an F32 one are there already.
func roundInto(p *tensor, values []float32, r kernel.Rounding) {
	if p.DType != kernel.BF16 {
		return
	}
	bits := make([]uint16, len(values))
	rng.Bits(bits, r.Seed, r.Step, rng.Rounding, 0)
	for i, d := 0, p.U16(); i < len(d); i++ {
		d[i] = kernel.RoundBF16(values[i], bits[i])
	}
}
