package diffusion

import (
	"math"
	"slices"
)

// ddim is DDIM with η = 0 (Song et al., arXiv 2010.02502, eq. 12): deterministic steps between timesteps. x is
// variance preserving. Where diffusers steps to t - ⌊T/steps⌋ it steps to the next timestep; the two differ only
// where the timesteps are spaced unevenly, and there diffusers misses the level that the network is told next.
type ddim struct {
	name       string
	prediction Prediction
	timesteps  []float64
	alphaBar   []float64 // ᾱ at each step and after the last: one more than timesteps
}

func newDDIM(name string, s *Schedule, steps int) Sampler {
	d := &ddim{name: name, prediction: s.Prediction, timesteps: s.spaced(steps)}
	for i, t := range d.timesteps {
		d.timesteps[i] = math.RoundToEven(t)
		d.alphaBar = append(d.alphaBar, s.AlphaBar(int(d.timesteps[i])))
	}
	final := s.AlphaBar(0)
	if s.FinalAlphaOne {
		final = 1
	}
	d.alphaBar = append(d.alphaBar, final)
	return d
}

func (d *ddim) Name() string                       { return d.name }
func (d *ddim) Timesteps() []float64               { return slices.Clone(d.timesteps) }
func (d *ddim) InitScale() float64                 { return 1 }
func (d *ddim) ScaleInput(dst, x []float32, i int) { copy(dst, x) }
func (d *ddim) Stochastic() bool                   { return false }

func (d *ddim) Step(i int, x, out, _ []float32) {
	alpha, sigma := math.Sqrt(d.alphaBar[i]), math.Sqrt(1-d.alphaBar[i])
	toAlpha, toSigma := math.Sqrt(d.alphaBar[i+1]), math.Sqrt(1-d.alphaBar[i+1])
	for j := range x {
		x0, eps := d.prediction.split(float64(x[j]), float64(out[j]), alpha, sigma)
		x[j] = float32(toAlpha*x0 + toSigma*eps)
	}
}
