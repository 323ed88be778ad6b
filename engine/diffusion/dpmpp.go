package diffusion

import "math"

// dpmpp is DPM-Solver++(2M) (Lu et al., arXiv 2211.01095, algorithm 2): second order from the previous step's
// x0, first order in the first and the last step. x is variance preserving. λ = ln(alpha/sigma) = -ln σ.
type dpmpp struct {
	levels
	x0, previous []float64
}

func newDPMPP(name string, s *Schedule, steps int) Sampler {
	timesteps := s.spacedAbove(steps)
	return &dpmpp{levels: newLevels(name, s, timesteps, s.sigmasAt(timesteps))}
}

// newDPMPPKarras spaces the noise levels over the whole table; the network is told the nearest timestep.
func newDPMPPKarras(name string, s *Schedule, steps int) Sampler {
	sigmas := karras(s.Sigma(s.Len()-1), s.Sigma(0), steps)
	timesteps := s.timestepsOf(sigmas)
	for i, t := range timesteps {
		timesteps[i] = math.RoundToEven(t)
	}
	return &dpmpp{levels: newLevels(name, s, timesteps, sigmas)}
}

func (d *dpmpp) InitScale() float64                 { return 1 }
func (d *dpmpp) ScaleInput(dst, x []float32, i int) { copy(dst, x) }
func (d *dpmpp) Stochastic() bool                   { return false }

func (d *dpmpp) Step(i int, x, out, _ []float32) {
	alpha, sigma := variancePreserving(d.sigmas[i])
	d.x0, d.previous = d.previous, d.x0
	if len(d.x0) != len(x) {
		d.x0 = make([]float64, len(x))
	}
	for j := range x {
		d.x0[j], _ = d.prediction.split(float64(x[j]), float64(out[j]), alpha, sigma)
	}
	toAlpha, toSigma := variancePreserving(d.sigmas[i+1])
	shrink, decay := toSigma/sigma, d.sigmas[i+1]/d.sigmas[i] // decay = exp(-h), h = λ_{i+1} - λ_i
	ahead := d.extrapolation(i)
	for j := range x {
		x0 := d.x0[j]
		if ahead > 0 {
			x0 += ahead * (x0 - d.previous[j])
		}
		x[j] = float32(shrink*float64(x[j]) + toAlpha*(1-decay)*x0)
	}
}

// extrapolation is 1/(2r), r = (λ_i - λ_{i-1})/(λ_{i+1} - λ_i): how far x0 is carried on along its last change.
// It is 0 in a step of first order.
func (d *dpmpp) extrapolation(i int) float64 {
	if i == 0 || d.sigmas[i+1] == 0 {
		return 0
	}
	before, next := math.Log(d.sigmas[i-1]/d.sigmas[i]), math.Log(d.sigmas[i]/d.sigmas[i+1])
	return next / (2 * before)
}
