package ref

import (
	"math"

	"easel/engine/kernel"
)

// normalise writes the values of a row with mean 0 and variance 1 to hat, and returns 1/√(variance+eps).
func normalise(hat []float64, x []float32, eps float32) (rstd float64) {
	mean, variance := 0.0, 0.0
	for _, v := range x {
		mean += float64(v) / float64(len(x))
	}
	for _, v := range x {
		variance += (float64(v) - mean) * (float64(v) - mean) / float64(len(x))
	}
	rstd = 1 / math.Sqrt(variance+float64(eps))
	for i, v := range x {
		hat[i] = (float64(v) - mean) * rstd
	}
	return rstd
}

func (backend) LayerNorm(y, x, gamma, beta *tensor, eps float32) error {
	const op = "LayerNorm"
	if err := floating(op, y, x, gamma, beta); err != nil {
		return err
	}
	c := x.Channels()
	if err := fits(op, sameShape(x, y) && is(gamma, c) && is(beta, c), y, x, gamma, beta); err != nil {
		return err
	}
	xv, gv, bv := input(x), input(gamma), input(beta)
	yv, store := output(y)
	parallel(x.Rows(), func(from, to int) {
		hat := make([]float64, c)
		for r := from; r < to; r++ {
			normalise(hat, xv[r*c:][:c], eps)
			for i, h := range hat {
				yv[r*c+i] = float32(h*float64(gv[i]) + float64(bv[i]))
			}
		}
	})
	store()
	return nil
}

func (backend) LayerNormGradInput(dx, x, gamma, dy *tensor, eps float32) error {
	const op = "LayerNormGradInput"
	if err := floating(op, dx, x, gamma, dy); err != nil {
		return err
	}
	c := x.Channels()
	if err := fits(op, sameShape(x, dx, dy) && is(gamma, c), dx, x, gamma, dy); err != nil {
		return err
	}
	xv, gv, dyv := input(x), input(gamma), input(dy)
	dxv, store := output(dx)
	parallel(x.Rows(), func(from, to int) {
		hat, d := make([]float64, c), make([]float64, c)
		for r := from; r < to; r++ {
			rstd := normalise(hat, xv[r*c:][:c], eps)
			for i := range d {
				d[i] = float64(dyv[r*c+i]) * float64(gv[i])
			}
			normGradient(d, hat, rstd)
			finish(dxv[r*c:][:c], d, nil, nil)
		}
	})
	store()
	return nil
}

func (backend) LayerNormGradParams(dgamma, dbeta, x, dy *tensor, eps float32) error {
	const op = "LayerNormGradParams"
	if err := floating(op, x, dy); err != nil {
		return err
	}
	if err := ofType(op, kernel.F32, dgamma, dbeta); err != nil {
		return err
	}
	c := x.Channels()
	if err := fits(op, sameShape(x, dy) && is(dgamma, c) && is(dbeta, c), dgamma, dbeta, x, dy); err != nil {
		return err
	}
	xv, dyv, hat := input(x), input(dy), make([]float64, c)
	sums := newParamSums(c)
	for r := range x.Rows() {
		normalise(hat, xv[r*c:][:c], eps)
		for i, h := range hat {
			sums.add(i, float64(dyv[r*c+i]), h)
		}
	}
	sums.store(dgamma, dbeta)
	return nil
}
