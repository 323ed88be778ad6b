package diffusion_test

import (
	"math"
	"testing"

	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/internal/golden"
)

// batch is the fixed batch of losses.safetensors: samples in a row, as forward functions take one at a time.
type batch struct {
	f               *golden.File
	timesteps       []int
	pred, x0, noise []float32
	size, pixels    int // of a sample; of one of its channels
}

func openBatch(t *testing.T) *batch {
	f := golden.Open(t, "losses.safetensors")
	b := &batch{f: f, timesteps: f.Ints("in/timesteps")}
	b.pred, b.x0, b.noise = f.Tensor("in/pred").F32(), f.Tensor("in/latents").F32(), f.Tensor("in/noise").F32()
	shape := f.Tensor("in/pred").Shape
	b.pixels = shape[2] * shape[3]
	b.size = shape[1] * b.pixels
	return b
}

// each calls do for every sample, with the sample's parts of the slices.
func (b *batch) each(slices [][]float32, do func(sample, t int, part [][]float32)) {
	for i, t := range b.timesteps {
		part := make([][]float32, len(slices))
		for j, s := range slices {
			part[j] = s[i*b.size : (i+1)*b.size]
		}
		do(i, t, part)
	}
}

// transposed turns a sample from [channels, pixels] to [pixels, channels] (rows = channels) or back.
func transposed(x []float32, rows int) []float32 {
	y, columns := make([]float32, len(x)), len(x)/rows
	for i, v := range x {
		y[i%columns*rows+i/columns] = v
	}
	return y
}

// offsetNoise is the golden batch's noise with 0.05 times its offset.
func (b *batch) offsetNoise() []float32 {
	offset, noisy := b.f.Tensor("in/offset").F32(), make([]float32, len(b.noise))
	b.each([][]float32{noisy, b.noise}, func(i, _ int, p [][]float32) {
		channels := b.size / b.pixels
		last := transposed(p[1], channels)
		diffusion.OffsetNoise(last, offset[i*channels:(i+1)*channels], 0.05)
		copy(p[0], transposed(last, b.pixels))
	})
	return noisy
}

func (b *batch) target(s *diffusion.Schedule, noise []float32) []float32 {
	target := make([]float32, len(noise))
	b.each([][]float32{target, b.x0, noise}, func(_, t int, p [][]float32) { s.Target(p[0], p[1], p[2], t) })
	return target
}

func TestForwardProcess(t *testing.T) {
	b := openBatch(t)
	eps, v := diffusion.StableDiffusion(diffusion.Epsilon), diffusion.StableDiffusion(diffusion.Velocity)
	noised := func(noise []float32) []float32 {
		xt := make([]float32, len(noise))
		b.each([][]float32{xt, b.x0, noise}, func(_, t int, p [][]float32) { eps.AddNoise(p[0], p[1], p[2], t) })
		return xt
	}
	offset := b.offsetNoise()
	b.f.Check(t, "", "offset_noise", offset)
	b.f.Check(t, "", "x_t", noised(b.noise))
	b.f.Check(t, "", "x_t_offset", noised(offset))
	b.f.Check(t, "", "target_v", b.target(v, b.noise))
}

// A prediction that equals the target stands for exactly the noise and latent that went in.
func TestTargetsLeadBackToNoiseAndLatent(t *testing.T) {
	x0, eps := []float32{-1.5, 0, 0.25, 2}, []float32{0.5, -2, 1, 0.125}
	for _, p := range []diffusion.Prediction{diffusion.Epsilon, diffusion.Velocity} {
		s := diffusion.StableDiffusion(p)
		for _, at := range []int{0, 1, 500, s.Len() - 1} {
			xt, target, gotX0, gotEps := make([]float32, 4), make([]float32, 4), make([]float32, 4), make([]float32, 4)
			s.AddNoise(xt, x0, eps, at)
			s.Target(target, x0, eps, at)
			s.X0(gotX0, xt, target, at)
			s.Epsilon(gotEps, xt, target, at)
			// x_t is rounded to float32; x0 from ε divides that rounding by √ᾱ.
			bound := 4 * float32Rounding / math.Sqrt(s.AlphaBar(at))
			for i := range x0 {
				if math.Abs(float64(gotX0[i]-x0[i])) > bound || math.Abs(float64(gotEps[i]-eps[i])) > 4*float32Rounding {
					t.Errorf("%v at %d: x0 %g, ε %g; want %g, %g", p, at, gotX0[i], gotEps[i], x0[i], eps[i])
				}
			}
		}
	}
}

func TestGuide(t *testing.T) {
	uncond, cond := []float32{1, 2}, []float32{2, -2}
	for scale, want := range map[float64][]float32{0: {1, 2}, 1: {2, -2}, 7.5: {8.5, -28}} {
		dst := append([]float32(nil), cond...)
		diffusion.Guide(dst, uncond, dst, scale)
		if dst[0] != want[0] || dst[1] != want[1] {
			t.Errorf("scale %g: %v, want %v", scale, dst, want)
		}
	}
}

func TestHuberC(t *testing.T) {
	f, s := golden.Open(t, "losses.safetensors"), diffusion.StableDiffusion(diffusion.Epsilon)
	for _, kind := range []string{"constant", "exponential", "snr"} {
		c, err := diffusion.NewHuberC(kind, 0.1)
		if err != nil {
			t.Fatal(err)
		}
		var got []float32
		for _, at := range f.Ints("in/timesteps") {
			got = append(got, float32(c.At(s, at)))
		}
		f.Check(t, "", "huber_c_"+kind, got)
	}
	for _, bad := range []struct {
		kind string
		c0   float64
	}{{"cubic", 0.1}, {"snr", 0}, {"snr", 1.5}, {"snr", math.NaN()}} {
		if _, err := diffusion.NewHuberC(bad.kind, bad.c0); err == nil || engine.KindOf(err) != engine.BadInput {
			t.Errorf("%v: error %v, want one of kind bad input", bad, err)
		}
	}
}
