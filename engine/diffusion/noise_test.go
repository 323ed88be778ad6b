package diffusion_test

import (
	"math"
	"testing"

	"easel/engine/diffusion"
	"easel/engine/internal/rng"
)

func TestGoldenLatentMask(t *testing.T) {
	b := openBatch(t)
	mask := b.f.Tensor("in/mask")
	h, w := mask.Shape[2], mask.Shape[3]
	var all []float32
	for i := range b.timesteps {
		all = append(all, diffusion.LatentMask(mask.F32()[i*h*w:(i+1)*h*w], h, w, 8)...)
	}
	b.f.Check(t, "", "mask_latent", all)
	for _, bad := range []int{0, 7} {
		if diffusion.LatentMask(mask.F32()[:h*w], h, w, bad) != nil {
			t.Errorf("factor %d of %d x %d gave a mask", bad, h, w)
		}
	}
}

// TestPyramidNoise compares with the formula, written for a pyramid of two levels whose second is 2 x 2 or 1 x 1.
func TestPyramidNoise(t *testing.T) {
	const h, w, channels, discount = 4, 4, 2, 0.5
	normal := func(level int, dst []float32) { rng.Normal(dst, 5, level, rng.Noise) }
	for _, c := range []struct {
		ratio float64 // uniform's
		side  int     // of the second level
		// taps are the weights of the coarse pixels for each fine one, along one direction.
		taps [h][2]float64
	}{
		{0, 2, [h][2]float64{{1, 0}, {0.75, 0.25}, {0.25, 0.75}, {0, 1}}},
		{0.9, 1, [h][2]float64{{1, 0}, {1, 0}, {1, 0}, {1, 0}}},
	} {
		eps := make([]float32, h*w*channels)
		rng.Normal(eps, 1, 0, rng.Noise)
		first, second := make([]float32, len(eps)), make([]float32, c.side*c.side*channels)
		normal(0, first)
		normal(1, second)
		want := make([]float64, len(eps))
		for y := range h {
			for x := range w {
				for k := range channels {
					sum := 0.0
					for i, wy := range c.taps[y] {
						for j, wx := range c.taps[x] {
							if i < c.side && j < c.side {
								sum += wy * wx * float64(second[(i*c.side+j)*channels+k])
							}
						}
					}
					at := (y*w+x)*channels + k
					want[at] = float64(eps[at]) + float64(first[at]) + discount*sum
				}
			}
		}
		if c.side == 2 { // a third level of one pixel
			third := make([]float32, channels)
			normal(2, third)
			for i := range want {
				want[i] += discount * discount * float64(third[i%channels])
			}
		}
		mean, squares := 0.0, 0.0
		for _, v := range want {
			mean += v / float64(len(want))
		}
		for _, v := range want {
			squares += (v - mean) * (v - mean)
		}
		deviation := math.Sqrt(squares / float64(len(want)-1))
		diffusion.PyramidNoise(eps, h, w, channels, discount, normal, func(int) float64 { return c.ratio })
		for i, v := range want {
			if math.Abs(v/deviation-float64(eps[i])) > 1e-5 {
				t.Fatalf("ratio %g, value %d: %g, want %g", 2+2*c.ratio, i, eps[i], v/deviation)
			}
		}
	}
}

// TestLogitNormal compares shares of timesteps with Φ(logit(x) - bias), for evenly spread u.
func TestLogitNormal(t *testing.T) {
	const n, from, to = 100_000, 200, 800
	for _, bias := range []float64{-1, 0, 0.7} {
		counts := [to]int{}
		for i := range n {
			step := diffusion.LogitNormal((float64(i)+0.5)/n, from, to, bias)
			if step < from || step >= to {
				t.Fatalf("bias %g: timestep %d", bias, step)
			}
			counts[step]++
		}
		below := 0
		for step := from; step < to-1; step++ {
			below += counts[step]
			x := float64(step+1-from) / (to - from)
			want := 0.5 * math.Erfc(-(math.Log(x/(1-x))-bias)/math.Sqrt2)
			if got := float64(below) / n; math.Abs(got-want) > 1e-3 {
				t.Fatalf("bias %g: share %g up to %d, want %g", bias, got, step, want)
			}
		}
	}
	if v := diffusion.LogitNormal(1-1e-16, 0, 10, 50); v != 9 {
		t.Errorf("the far end is %d", v)
	}
}
