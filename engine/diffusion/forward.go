package diffusion

import "math"

// AddNoise writes x_t = √ᾱ_t·x0 + √(1-ᾱ_t)·ε, one sample; the three slices have one length. xt may be x0 or eps.
func (s *Schedule) AddNoise(xt, x0, eps []float32, t int) {
	a, b := s.roots(t)
	for i := range xt {
		xt[i] = float32(a*float64(x0[i]) + b*float64(eps[i]))
	}
}

// Target writes what the network ought to predict at t: ε, or v = √ᾱ_t·ε - √(1-ᾱ_t)·x0. dst may be x0 or eps.
func (s *Schedule) Target(dst, x0, eps []float32, t int) {
	if s.Prediction == Epsilon {
		copy(dst, eps)
		return
	}
	a, b := s.roots(t)
	for i := range dst {
		dst[i] = float32(a*float64(eps[i]) - b*float64(x0[i]))
	}
}

// X0 writes the clean latent that a network output for xt at t stands for. dst may be xt or out.
func (s *Schedule) X0(dst, xt, out []float32, t int) {
	a, b := s.roots(t)
	for i := range dst {
		x0, _ := s.Prediction.split(float64(xt[i]), float64(out[i]), a, b)
		dst[i] = float32(x0)
	}
}

// Epsilon writes the noise that a network output for xt at t stands for. dst may be xt or out.
func (s *Schedule) Epsilon(dst, xt, out []float32, t int) {
	a, b := s.roots(t)
	for i := range dst {
		_, eps := s.Prediction.split(float64(xt[i]), float64(out[i]), a, b)
		dst[i] = float32(eps)
	}
}

func (s *Schedule) roots(t int) (signal, noise float64) {
	return math.Sqrt(s.alphaBar[t]), math.Sqrt(1 - s.alphaBar[t])
}

// OffsetNoise adds strength·offset[c] to every pixel of channel c of one channels-last sample [h, w, len(offset)],
// so that the network learns to move a picture's mean (crosslabs.org "Diffusion with Offset Noise"; 0.05 is
// usual). offset holds one N(0,1) number per channel.
func OffsetNoise(eps, offset []float32, strength float64) {
	for i := range eps {
		eps[i] = float32(float64(eps[i]) + strength*float64(offset[i%len(offset)]))
	}
}

// Guide combines two predictions: dst = uncond + scale·(cond - uncond) (Ho and Salimans, arXiv 2207.12598, in the
// form of Stable Diffusion, where 1 means no guidance). dst may be either of them.
func Guide(dst, uncond, cond []float32, scale float64) {
	for i := range dst {
		u := float64(uncond[i])
		dst[i] = float32(u + scale*(float64(cond[i])-u))
	}
}
