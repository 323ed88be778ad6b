package diffusion

import (
	"math"

	"easel/engine"
)

// Weighting says how much the loss at a timestep counts.
type Weighting interface {
	// Weight multiplies the loss of a sample that was noised to t.
	Weight(s *Schedule, t int) float64
}

// Uniform weighs every timestep 1: the plain loss.
type Uniform struct{}

// Weight is 1.
func (Uniform) Weight(*Schedule, int) float64 { return 1 }

// MinSNR holds the γ of min-SNR weighting (Hang et al., arXiv 2303.09556; γ = 5 there): nearly clean timesteps,
// whose SNR is above γ, count less.
type MinSNR float64

// Weight is min(SNR,γ)/SNR for ε and min(SNR,γ)/(SNR+1) for v.
func (gamma MinSNR) Weight(s *Schedule, t int) float64 {
	snr := s.SNR(t)
	if s.Prediction == Velocity {
		return min(snr, float64(gamma)) / (snr + 1)
	}
	return min(1, float64(gamma)/snr)
}

// debiasedLimit is the largest SNR that counts in Debiased, as sd-scripts and OneTrainer have it.
const debiasedLimit = 1000

// Debiased is debiased estimation (Yu et al., arXiv 2310.08442): noisy timesteps count more, the mean over t is
// about 3. For v the two programs that have it disagree.
type Debiased struct {
	OneTrainer bool // the v form of OneTrainer instead of that of sd-scripts
}

// Weight is 1/√SNR for ε, and for v 1/(SNR+1) or, in OneTrainer's form, 1/√(SNR+1); SNR is cut at 1000.
func (d Debiased) Weight(s *Schedule, t int) float64 {
	snr := min(s.SNR(t), debiasedLimit)
	switch {
	case s.Prediction == Epsilon:
		return 1 / math.Sqrt(snr)
	case d.OneTrainer:
		return 1 / math.Sqrt(snr+1)
	}
	return 1 / (snr + 1)
}

// HuberC gives the Huber parameter c of a sample, kernel.Huber's and kernel.SmoothL1's: errors well below c count
// quadratically, those above linearly. Made by NewHuberC.
type HuberC struct {
	kind string
	c0   float64
}

// NewHuberC knows the schedules of sd-scripts: "constant" (c0), "exponential" (from 1 at t = 0 to c0) and "snr"
// (from 1 to c0 as σ grows). c0 in (0, 1], usually 0.1. Anything else is engine.BadInput.
func NewHuberC(kind string, c0 float64) (HuberC, error) {
	const op = "set up the Huber loss"
	switch kind {
	case "constant", "exponential", "snr":
	default:
		return HuberC{}, engine.Errorf(op, "", engine.BadInput, "no schedule %q; there are constant, exponential and snr", kind)
	}
	if !(c0 > 0 && c0 <= 1) {
		return HuberC{}, engine.Errorf(op, "", engine.BadInput, "c is %g; it must be above 0 and at most 1", c0)
	}
	return HuberC{kind, c0}, nil
}

// At is c at timestep t: c0, or c0^(t/T), or (1-c0)/(1+σ_t)² + c0.
func (h HuberC) At(s *Schedule, t int) float64 {
	switch h.kind {
	case "exponential":
		return math.Pow(h.c0, float64(t)/float64(s.Len()))
	case "snr":
		d := 1 + s.Sigma(t)
		return (1-h.c0)/(d*d) + h.c0
	}
	return h.c0
}
