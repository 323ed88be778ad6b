package train

import (
	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
)

// noise draws the noise and the timesteps of batches.
type noise struct {
	engine.Noise
	seed      uint64
	timesteps int // of the schedule
}

// timestep is that of a row of a batch.
func (n noise) timestep(number, row int) int {
	to := n.To
	if to == 0 {
		to = n.timesteps
	}
	if n.Timesteps == engine.LogitNormal {
		return diffusion.LogitNormal(rng.Float64(n.seed, number, rng.Timestep, uint64(row)), n.From, to, n.Bias)
	}
	return n.From + rng.Intn(to-n.From, n.seed, number, rng.Timestep, uint64(row))
}

// fill draws a batch's noise, and what is added to its pictures where that is not the same.
func (n noise) fill(b *Batch, number int) {
	s := b.Latents.Shape
	b.Noise = kernel.New(kernel.F32, s...)
	rng.Normal(b.Noise.F32(), n.seed, number, rng.Noise)
	for row := range s[0] {
		n.shape(rowOf(b.Noise, row), s, number, row)
	}
	if n.Perturb > 0 {
		n.perturb(b, number)
	}
}

// shape makes a row's white noise into offset or pyramid noise.
func (n noise) shape(eps []float32, s []int, number, row int) {
	height, width, channels := s[1], s[2], s[3]
	if n.Offset > 0 {
		offset := make([]float32, channels)
		rng.Normal(offset, rng.Mix(n.seed+uint64(row)), number, rng.Offset)
		diffusion.OffsetNoise(eps, offset, n.Offset)
	}
	if n.Pyramid > 0 {
		own := rng.Mix(n.seed + uint64(row))
		diffusion.PyramidNoise(eps, height, width, channels, n.Pyramid,
			func(level int, dst []float32) { rng.Normal(dst, own+uint64(level), number, rng.Pyramid) },
			func(level int) float64 { return rng.Float64(rng.Mix(own), number, rng.Pyramid, uint64(level)) })
	}
}

// perturb mixes further noise into the pictures, of which the target does not tell (input perturbation: Ning et al.,
// arXiv 2301.11706, where its strength is 0.1): x_t = √ᾱ·x0 + √(1-ᾱ)·(ε + strength·N(0,1)).
func (n noise) perturb(b *Batch, number int) {
	b.Added = kernel.New(kernel.F32, b.Noise.Shape...)
	rng.Normal(b.Added.F32(), n.seed, number, rng.Perturb)
	for i, eps := range b.Noise.F32() {
		b.Added.F32()[i] = float32(float64(eps) + n.Perturb*float64(b.Added.F32()[i]))
	}
}

// rowOf is element i of the first dimension.
func rowOf(t *kernel.Tensor, i int) []float32 {
	n := t.Len() / t.Shape[0]
	return t.F32()[i*n : (i+1)*n]
}
