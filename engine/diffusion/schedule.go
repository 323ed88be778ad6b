// Package diffusion holds the mathematics around the network: the noise schedule, the forward process and its
// targets, loss weights, and samplers. It knows no network and no graph; latents are flat float32 slices on the
// host, tables are float64.
//
// Notation: a noisy latent is x_t = √ᾱ_t·x0 + √(1-ᾱ_t)·ε at timestep t (0 is nearly clean, Len()-1 nearly noise);
// σ_t = √((1-ᾱ_t)/ᾱ_t) is the noise beside an unscaled x0, and SNR_t = 1/σ_t².
package diffusion

import (
	"math"

	"easel/engine"
)

// Prediction says what the network predicts.
type Prediction uint8

// What networks of the SD family predict.
const (
	Epsilon  Prediction = iota // the noise ε
	Velocity                   // v = √ᾱ·ε - √(1-ᾱ)·x0 (Salimans and Ho, arXiv 2202.00512)
)

// String is the name that scheduler_config.json uses: "epsilon" or "v_prediction".
func (p Prediction) String() string {
	if p == Velocity {
		return "v_prediction"
	}
	return "epsilon"
}

// split takes x = alpha·x0 + sigma·ε (alpha² + sigma² = 1) apart, given the network's output for it.
func (p Prediction) split(x, out, alpha, sigma float64) (x0, eps float64) {
	if p == Velocity {
		return alpha*x - sigma*out, alpha*out + sigma*x
	}
	return (x - sigma*out) / alpha, out
}

// Spacing says which training timesteps a sampler visits; diffusers' timestep_spacing.
type Spacing uint8

// The spacings (Lin et al., arXiv 2305.08891, table 2).
const (
	Leading  Spacing = iota // multiples of ⌊T/steps⌋, plus Schedule.Offset
	Linspace                // evenly from T-1 to 0
	Trailing                // T-1 and below in steps of T/steps
)

// Schedule is the noise schedule that a network was trained with. The exported fields are what samplers read;
// a shallow copy with other values is a valid Schedule.
type Schedule struct {
	Prediction    Prediction
	Spacing       Spacing
	Offset        int  // added to the timesteps of Leading; diffusers' steps_offset
	FinalAlphaOne bool // DDIM's last step goes to ᾱ = 1 instead of ᾱ_0; diffusers' set_alpha_to_one

	alphaBar []float64
}

// StableDiffusion is the schedule of SD 1.x and 2.x and SDXL: 1000 timesteps, √β linear from √0.00085 to √0.012.
func StableDiffusion(p Prediction) *Schedule {
	return &Schedule{Prediction: p, Offset: 1, alphaBar: alphaBars(0.00085, 0.012, 1000, true)}
}

// alphaBars is the cumulative product of 1-β, where β (or √β) runs linearly from start to end.
func alphaBars(start, end float64, n int, sqrt bool) []float64 {
	if sqrt {
		start, end = math.Sqrt(start), math.Sqrt(end)
	}
	table, product := make([]float64, n), 1.0
	for i := range table {
		beta := start + (end-start)*float64(i)/float64(n-1)
		if sqrt {
			beta *= beta
		}
		product *= 1 - beta
		table[i] = product
	}
	return table
}

// ZeroTerminalSNR is the schedule rescaled so that the last timestep is pure noise (Lin et al., arXiv 2305.08891,
// algorithm 1). Only a network that predicts v can use it; another is an engine.Unsupported error.
func (s *Schedule) ZeroTerminalSNR() (*Schedule, error) {
	if s.Prediction != Velocity {
		return nil, engine.Errorf("rescale the noise schedule", "", engine.Unsupported,
			"zero terminal SNR needs a model that predicts v, and this one predicts %v", s.Prediction)
	}
	z := *s
	z.alphaBar = make([]float64, s.Len())
	first, last := math.Sqrt(s.alphaBar[0]), math.Sqrt(s.alphaBar[s.Len()-1])
	for t, a := range s.alphaBar {
		root := (math.Sqrt(a) - last) * first / (first - last)
		z.alphaBar[t] = root * root
	}
	return &z, nil
}

// Len is T, the number of timesteps that the network was trained on.
func (s *Schedule) Len() int { return len(s.alphaBar) }

// AlphaBar is ᾱ_t, the share of x0's variance in x_t; 0 ≤ t < Len().
func (s *Schedule) AlphaBar(t int) float64 { return s.alphaBar[t] }

// SNR is ᾱ_t/(1-ᾱ_t).
func (s *Schedule) SNR(t int) float64 { return s.alphaBar[t] / (1 - s.alphaBar[t]) }

// leastAlphaBar keeps σ finite where a zero-terminal-SNR table ends in 0; the value is diffusers'.
const leastAlphaBar = 1.0 / (1 << 24)

// Sigma is σ_t = √((1-ᾱ_t)/ᾱ_t). Where ᾱ_t is 0 it is 4096, not infinite.
func (s *Schedule) Sigma(t int) float64 {
	a := max(s.alphaBar[t], leastAlphaBar)
	return math.Sqrt((1 - a) / a)
}

// sigmaAt interpolates σ linearly at a fractional timestep, as diffusers' Euler does.
func (s *Schedule) sigmaAt(t float64) float64 {
	low := min(int(t), s.Len()-2)
	w := t - float64(low)
	return (1-w)*s.Sigma(low) + w*s.Sigma(low+1)
}

// timestepOf inverts Sigma, interpolating log σ linearly, as k-diffusion does; outside the table it clamps.
func (s *Schedule) timestepOf(sigma float64) float64 {
	low := 0
	for low < s.Len()-2 && s.Sigma(low+1) <= sigma {
		low++
	}
	below, above := math.Log(s.Sigma(low)), math.Log(s.Sigma(low+1))
	w := (math.Log(sigma) - below) / (above - below)
	return float64(low) + min(max(w, 0), 1)
}
