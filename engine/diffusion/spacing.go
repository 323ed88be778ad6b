package diffusion

import (
	"math"
	"slices"
)

// spaced gives the falling timesteps that a sampler visits. Linspace may give fractions.
func (s *Schedule) spaced(steps int) []float64 {
	last := float64(s.Len() - 1)
	switch s.Spacing {
	case Linspace:
		if steps == 1 { // one point; diffusers takes t = 0, from where nothing can be denoised
			return []float64{last}
		}
		return falling(steps, func(i int) float64 { return last * float64(i) / float64(steps-1) })
	case Trailing:
		return s.trailing(steps)
	}
	return s.leading(steps, s.Len()/steps)
}

// spacedAbove is spaced in the form of diffusers' DPM-Solver, which leaves out the lowest of steps+1 timesteps
// and rounds to whole ones.
func (s *Schedule) spacedAbove(steps int) []float64 {
	switch s.Spacing {
	case Linspace:
		last := float64(s.Len() - 1)
		return falling(steps, func(i int) float64 { return math.RoundToEven(last * float64(i+1) / float64(steps)) })
	case Trailing:
		return s.trailing(steps)
	}
	ratio := s.Len() / (steps + 1)
	above := *s
	above.Offset = s.Offset + ratio
	return above.leading(steps, ratio)
}

// leading gives multiples of ratio plus the offset, or less where the offset would lead past the table.
func (s *Schedule) leading(steps, ratio int) []float64 {
	offset := min(s.Offset, s.Len()-1-(steps-1)*ratio)
	return falling(steps, func(i int) float64 { return float64(i*ratio + offset) })
}

func (s *Schedule) trailing(steps int) []float64 {
	n := float64(s.Len())
	return falling(steps, func(i int) float64 { return math.RoundToEven(n*float64(i+1)/float64(steps)) - 1 })
}

// falling is rise(steps-1), ..., rise(0).
func falling(steps int, rise func(int) float64) []float64 {
	t := make([]float64, steps)
	for i := range t {
		t[steps-1-i] = rise(i)
	}
	return t
}

// karras spaces noise levels from high to low so that σ^(1/7) is even (Karras et al., arXiv 2206.00364, eq. 5).
func karras(high, low float64, steps int) []float64 {
	const rho = 7
	from, to := math.Pow(high, 1.0/rho), math.Pow(low, 1.0/rho)
	sigmas := make([]float64, steps)
	for i := range sigmas {
		ramp := float64(i) / float64(max(1, steps-1))
		sigmas[i] = math.Pow(from+ramp*(to-from), rho)
	}
	return sigmas
}

// levels is the part that samplers over noise levels share.
type levels struct {
	name       string
	prediction Prediction
	timesteps  []float64
	sigmas     []float64 // one more than timesteps; the last is 0
}

func newLevels(name string, s *Schedule, timesteps, sigmas []float64) levels {
	return levels{name, s.Prediction, timesteps, append(sigmas, 0)}
}

func (l *levels) Name() string         { return l.name }
func (l *levels) Timesteps() []float64 { return slices.Clone(l.timesteps) }
func (l *levels) Sigmas() []float64    { return slices.Clone(l.sigmas) }

// variancePreserving gives the factors with which x = alpha·x0 + sigma·ε has unit variance at noise level s.
func variancePreserving(s float64) (alpha, sigma float64) {
	alpha = 1 / math.Sqrt(s*s+1)
	return alpha, s * alpha
}

// sigmasAt are the table's noise levels at those timesteps.
func (s *Schedule) sigmasAt(timesteps []float64) []float64 {
	sigmas := make([]float64, len(timesteps), len(timesteps)+1)
	for i, t := range timesteps {
		sigmas[i] = s.sigmaAt(t)
	}
	return sigmas
}

// timestepsOf inverts sigmasAt.
func (s *Schedule) timestepsOf(sigmas []float64) []float64 {
	timesteps := make([]float64, len(sigmas))
	for i, sigma := range sigmas {
		timesteps[i] = s.timestepOf(sigma)
	}
	return timesteps
}
