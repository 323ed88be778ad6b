package ref

import (
	"math"

	"easel/engine"
	"easel/engine/kernel"
)

// function is an elementwise function with its derivative.
type function struct {
	value, slope func(x float64) float64
}

// functions holds the activations, by kernel.Activation.
var functions = [...]function{
	kernel.SiLU: {
		func(x float64) float64 { return x * sigmoid(x) },
		func(x float64) float64 { return swishSlope(x, 1) },
	},
	kernel.GELU: {gelu, geluSlope},
	kernel.GELUTanh: {
		func(x float64) float64 { return 0.5 * x * (1 + math.Tanh(geluInner(x))) },
		func(x float64) float64 {
			t := math.Tanh(geluInner(x))
			return 0.5*(1+t) + 0.5*x*(1-t*t)*math.Sqrt(2/math.Pi)*(1+3*0.044715*x*x)
		},
	},
	kernel.QuickGELU: {
		func(x float64) float64 { return x * sigmoid(1.702*x) },
		func(x float64) float64 { return swishSlope(x, 1.702) },
	},
	kernel.HardSwish: {
		func(x float64) float64 { return x * min(max(x+3, 0), 6) / 6 },
		hardSwishSlope,
	},
	kernel.ReLU:      leaky(0),
	kernel.LeakyReLU: leaky(0.01),
	kernel.ELU: {
		func(x float64) float64 { return max(x, 0) + math.Expm1(min(x, 0)) },
		func(x float64) float64 { return math.Exp(min(x, 0)) },
	},
	kernel.Tanh: {
		math.Tanh,
		func(x float64) float64 { return 4 * sigmoid(2*x) * sigmoid(-2*x) }, // 1 - tanh², precise far out too
	},
	kernel.Sigmoid: {
		sigmoid,
		func(x float64) float64 { return sigmoid(x) * sigmoid(-x) },
	},
	kernel.Softsign: {
		func(x float64) float64 { return x / (1 + math.Abs(x)) },
		func(x float64) float64 { return 1 / ((1 + math.Abs(x)) * (1 + math.Abs(x))) },
	},
	kernel.Mish: {
		func(x float64) float64 { return x * math.Tanh(softplus(x)) },
		func(x float64) float64 {
			t := math.Tanh(softplus(x))
			return t + x*(1-t*t)*sigmoid(x)
		},
	},
}

// leaky is x, for negative x slope·x. At 0 the slope is the smaller one, as torch's.
func leaky(slope float64) function {
	return function{
		func(x float64) float64 { return max(x, 0) + slope*min(x, 0) },
		func(x float64) float64 {
			if x > 0 {
				return 1
			}
			return slope
		},
	}
}

// softplus is ln(1+exp(x)), without overflow.
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// swishSlope is the derivative of x·sigmoid(a·x).
func swishSlope(x, a float64) float64 {
	s := sigmoid(a * x)
	return s + a*x*s*(1-s)
}

func gelu(x float64) float64 { return x * normalCDF(x) }

func geluSlope(x float64) float64 {
	return normalCDF(x) + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
}

// normalCDF is Φ; by erfc, which keeps its precision where Φ is small.
func normalCDF(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

func geluInner(x float64) float64 { return math.Sqrt(2/math.Pi) * (x + 0.044715*x*x*x) }

// hardSwishSlope is 0 and 1 at the corners -3 and 3, which belong to the outer pieces: the definition in torch's
// documentation (pytorch issue 147801; older versions give -0.5 and 1.5 there).
func hardSwishSlope(x float64) float64 {
	switch {
	case x <= -3:
		return 0
	case x < 3:
		return x/3 + 0.5
	}
	return 1
}

func activation(op string, f kernel.Activation) (function, error) {
	if int(f) >= len(functions) {
		return function{}, engine.Errorf(op, "", engine.Internal, "no activation %d", f)
	}
	return functions[f], nil
}

func (backend) Activate(y, x *tensor, f kernel.Activation) error {
	const op = "Activate"
	fn, err := activation(op, f)
	if err != nil {
		return err
	}
	return each(op, func(v []float64) float64 { return fn.value(v[0]) }, y, x)
}

func (backend) ActivateGrad(dx, x, dy *tensor, f kernel.Activation) error {
	const op = "ActivateGrad"
	fn, err := activation(op, f)
	if err != nil {
		return err
	}
	return each(op, func(v []float64) float64 { return fn.slope(v[0]) * v[1] }, dx, x, dy)
}

func (backend) GEGLU(y, x *tensor) error {
	const op = "GEGLU"
	if err := floating(op, y, x); err != nil {
		return err
	}
	c := y.Channels()
	if err := fits(op, sameRows(y, x) && x.Channels() == 2*c, y, x); err != nil {
		return err
	}
	xv := input(x)
	yv, store := output(y)
	parallel(y.Rows(), func(from, to int) {
		for r := from; r < to; r++ {
			value, gate := xv[r*2*c:][:c], xv[r*2*c+c:][:c]
			for i, v := range value {
				yv[r*c+i] = float32(float64(v) * gelu(float64(gate[i])))
			}
		}
	})
	store()
	return nil
}

func (backend) GEGLUGrad(dx, x, dy *tensor) error {
	const op = "GEGLUGrad"
	if err := floating(op, dx, x, dy); err != nil {
		return err
	}
	c := dy.Channels()
	if err := fits(op, sameRows(dx, x, dy) && sameShape(dx, x) && x.Channels() == 2*c, dx, x, dy); err != nil {
		return err
	}
	xv, dyv := input(x), input(dy)
	dxv, store := output(dx)
	parallel(dy.Rows(), func(from, to int) {
		for r := from; r < to; r++ {
			value, gate := r*2*c, r*2*c+c
			for i, d := range dyv[r*c:][:c] {
				dxv[value+i] = float32(float64(d) * gelu(float64(xv[gate+i])))
				dxv[gate+i] = float32(float64(d) * float64(xv[value+i]) * geluSlope(float64(xv[gate+i])))
			}
		}
	})
	store()
	return nil
}
