package diffusion

import "math"

// euler is Euler's method for dx/dσ = ε (Karras et al., arXiv 2206.00364, algorithm 1 without churn, and
// k-diffusion's sample_euler and sample_euler_ancestral). x = x0 + σ·ε is variance exploding.
type euler struct {
	levels
	initScale float64
	ancestral bool // after each step put back as much noise as a sample of the reverse process would have
}

func newEuler(name string, s *Schedule, steps int) Sampler {
	timesteps := s.spaced(steps)
	return eulerOver(name, s, timesteps, s.sigmasAt(timesteps))
}

func newEulerAncestral(name string, s *Schedule, steps int) Sampler {
	e := newEuler(name, s, steps).(*euler)
	e.ancestral = true
	return e
}

// newEulerKarras spaces the noise levels between the first and last that newEuler would visit.
func newEulerKarras(name string, s *Schedule, steps int) Sampler {
	ends := s.sigmasAt(s.spaced(steps))
	sigmas := karras(ends[0], ends[steps-1], steps)
	return eulerOver(name, s, s.timestepsOf(sigmas), sigmas)
}

func eulerOver(name string, s *Schedule, timesteps, sigmas []float64) *euler {
	e := &euler{levels: newLevels(name, s, timesteps, sigmas)}
	e.initScale = e.sigmas[0]
	if s.Spacing == Leading { // it starts below T-1, where x0 still shows: give x the variance of x0 + σ·ε
		e.initScale = math.Hypot(e.sigmas[0], 1)
	}
	return e
}

func (e *euler) InitScale() float64 { return e.initScale }
func (e *euler) Stochastic() bool   { return e.ancestral }

func (e *euler) ScaleInput(dst, x []float32, i int) {
	alpha, _ := variancePreserving(e.sigmas[i])
	for j := range dst {
		dst[j] = float32(float64(x[j]) * alpha)
	}
}

func (e *euler) Step(i int, x, out, noise []float32) {
	from, to := e.sigmas[i], e.sigmas[i+1]
	down, up := to, 0.0 // go down to σ = down, then put noise up back: down² + up² = to²
	if e.ancestral {
		down = to * to / from
		up = math.Sqrt(to*to - down*down)
	}
	alpha, sigma := variancePreserving(from)
	for j := range x {
		v := float64(x[j])
		_, eps := e.prediction.split(alpha*v, float64(out[j]), alpha, sigma)
		v += eps * (down - from)
		if up > 0 {
			v += up * float64(noise[j])
		}
		x[j] = float32(v)
	}
}
