package ref

import (
	"math"

	"easel/engine"
	"easel/engine/kernel"
)

// groups holds the sizes of one group normalisation: x is [b, pixels, n·c], n groups of c channels.
type groups struct{ b, pixels, n, c int }

func groupSizes(op string, x *tensor, n int) (g groups, err error) {
	if n < 1 || len(x.Shape) < 2 || x.Len() == 0 || x.Channels()%n != 0 {
		return g, engine.Errorf(op, "", engine.Internal, "%d groups for shape %v", n, x.Shape)
	}
	return groups{x.Shape[0], x.Rows() / x.Shape[0], n, x.Channels() / n}, nil
}

// forEach calls f in parallel for each (sample, group), with the group's number (sample·n + group).
func (g groups) forEach(f func(i int)) {
	parallel(g.b*g.n, func(from, to int) {
		for i := from; i < to; i++ {
			f(i)
		}
	})
}

// row returns the index of the first channel of group i at a pixel.
func (g groups) row(i, pixel int) int { return ((i/g.n*g.pixels+pixel)*g.n + i%g.n) * g.c }

func (backend) GroupNormStats(stats, x *tensor, n int, eps float32) error {
	const op = "GroupNormStats"
	if err := floating(op, x); err != nil {
		return err
	}
	if err := ofType(op, kernel.F32, stats); err != nil {
		return err
	}
	g, err := groupSizes(op, x, n)
	if err != nil {
		return err
	}
	if err := fits(op, is(stats, g.b, n, 2), stats, x); err != nil {
		return err
	}
	xv, sv := input(x), stats.F32()
	g.forEach(func(i int) {
		sum := 0.0
		for p := range g.pixels {
			for _, v := range xv[g.row(i, p):][:g.c] {
				sum += float64(v)
			}
		}
		count := float64(g.pixels * g.c)
		mean, squares := sum/count, 0.0
		for p := range g.pixels {
			for _, v := range xv[g.row(i, p):][:g.c] {
				squares += (float64(v) - mean) * (float64(v) - mean)
			}
		}
		sv[2*i], sv[2*i+1] = float32(mean), float32(1/math.Sqrt(squares/count+float64(eps)))
	})
	return nil
}

// groupNorm is one call's arguments: x, the statistics, and the affine map that follows.
type groupNorm struct {
	groups
	x, stats, gamma, beta []float32
	silu                  bool
}

func newGroupNorm(op string, x, stats, gamma, beta *tensor, n int, silu bool) (g groupNorm, err error) {
	if err := floating(op, x, gamma, beta); err != nil {
		return g, err
	}
	if err := ofType(op, kernel.F32, stats); err != nil {
		return g, err
	}
	sizes, err := groupSizes(op, x, n)
	if err != nil {
		return g, err
	}
	c := x.Channels()
	if err := fits(op, is(stats, sizes.b, n, 2) && is(gamma, c) && is(beta, c), x, stats, gamma, beta); err != nil {
		return g, err
	}
	return groupNorm{sizes, input(x), input(stats), input(gamma), input(beta), silu}, nil
}

// normalised is x̂ = (x-mean)·rstd of group i at an index of x.
func (g groupNorm) normalised(i, at int) float64 {
	return (float64(g.x[at]) - float64(g.stats[2*i])) * float64(g.stats[2*i+1])
}

// before is what the activation gets: x̂·gamma + beta.
func (g groupNorm) before(i, at int) float64 {
	c := at % (g.n * g.c)
	return g.normalised(i, at)*float64(g.gamma[c]) + float64(g.beta[c])
}

// slope is the activation's derivative at an index of x.
func (g groupNorm) slope(i, at int) float64 {
	if g.silu {
		return swishSlope(g.before(i, at), 1)
	}
	return 1
}

func (backend) GroupNorm(y, x, stats, gamma, beta *tensor, n int, silu bool) error {
	const op = "GroupNorm"
	g, err := newGroupNorm(op, x, stats, gamma, beta, n, silu)
	if err != nil {
		return err
	}
	if err := floating(op, y); err != nil {
		return err
	}
	if err := fits(op, sameShape(y, x), y, x); err != nil {
		return err
	}
	yv, store := output(y)
	g.forEach(func(i int) {
		for p := range g.pixels {
			row := g.row(i, p)
			for at := row; at < row+g.c; at++ {
				z := g.before(i, at)
				if silu {
					z *= sigmoid(z)
				}
				yv[at] = float32(z)
			}
		}
	})
	store()
	return nil
}

func (backend) GroupNormGradInput(dx, x, stats, gamma, beta, dy *tensor, n int, silu bool) error {
	const op = "GroupNormGradInput"
	g, err := newGroupNorm(op, x, stats, gamma, beta, n, silu)
	if err != nil {
		return err
	}
	if err := floating(op, dx, dy); err != nil {
		return err
	}
	if err := fits(op, sameShape(x, dx, dy), dx, x, dy); err != nil {
		return err
	}
	dyv := input(dy)
	dxv, store := output(dx)
	g.forEach(func(i int) {
		size := g.pixels * g.c
		hat, dhat := make([]float64, size), make([]float64, size) // x̂ and its gradient
		for j := range hat {
			at := g.row(i, j/g.c) + j%g.c
			hat[j] = g.normalised(i, at)
			dhat[j] = float64(dyv[at]) * g.slope(i, at) * float64(g.gamma[at%(g.n*g.c)])
		}
		normGradient(dhat, hat, float64(g.stats[2*i+1]))
		for j, d := range dhat {
			dxv[g.row(i, j/g.c)+j%g.c] = float32(d)
		}
	})
	store()
	return nil
}

// normGradient replaces d, the gradient of the normalised values hat, by that of the values before normalisation,
// through mean and variance: rstd·(d - mean(d) - hat·mean(d·hat)).
func normGradient(d, hat []float64, rstd float64) {
	sum, dot := 0.0, 0.0
	for j := range d {
		sum += d[j]
		dot += d[j] * hat[j]
	}
	count := float64(len(d))
	for j := range d {
		d[j] = rstd * (d[j] - sum/count - hat[j]*dot/count)
	}
}

func (backend) GroupNormGradParams(dgamma, dbeta, x, stats, gamma, beta, dy *tensor, n int, silu bool) error {
	const op = "GroupNormGradParams"
	g, err := newGroupNorm(op, x, stats, gamma, beta, n, silu)
	if err != nil {
		return err
	}
	if err := floating(op, dy); err != nil {
		return err
	}
	if err := ofType(op, kernel.F32, dgamma, dbeta); err != nil {
		return err
	}
	if err := fits(op, sameShape(gamma, dgamma, dbeta) && sameShape(x, dy), dgamma, dbeta, x, dy); err != nil {
		return err
	}
	dyv := input(dy)
	sums := newParamSums(x.Channels())
	for i := range g.b * g.n {
		for p := range g.pixels {
			row := g.row(i, p)
			for at := row; at < row+g.c; at++ {
				sums.add(at, float64(dyv[at])*g.slope(i, at), g.normalised(i, at))
			}
		}
	}
	sums.store(dgamma, dbeta)
	return nil
}

// paramSums accumulates the gradients of a norm's gamma and beta.
type paramSums struct{ gamma, beta []float64 }

func newParamSums(channels int) paramSums {
	return paramSums{make([]float64, channels), make([]float64, channels)}
}

// add takes the gradient d of hat·gamma + beta at an index of x.
func (s paramSums) add(at int, d, hat float64) {
	c := at % len(s.gamma)
	s.gamma[c] += d * hat
	s.beta[c] += d
}

func (s paramSums) store(dgamma, dbeta *tensor) {
	finish(dgamma.F32(), s.gamma, nil, nil)
	finish(dbeta.F32(), s.beta, nil, nil)
}
