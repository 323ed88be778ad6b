package diffusion_test

import (
	"math"
	"testing"

	"easel/engine/diffusion"
)

// gaussian is data x0 ~ N(mean, deviation²), for which the best network is known in closed form, and so is where
// the probability-flow equation leads (Karras et al., arXiv 2206.00364): (x - mean)/√(deviation² + σ²) is constant
// for x = x0 + σ·ε.
type gaussian struct{ mean, deviation float64 }

// predict is E[ε|x] or E[v|x] for an input of unit scale, x = alpha·x0 + sigma·ε.
func (g gaussian) predict(x, level float64, p diffusion.Prediction) float64 {
	alpha := 1 / math.Hypot(1, level)
	sigma := level * alpha
	share := alpha * alpha * g.deviation * g.deviation
	eps := sigma * (x - alpha*g.mean) / (share + sigma*sigma)
	if p == diffusion.Epsilon {
		return eps
	}
	return alpha*eps - sigma*(x-sigma*eps)/alpha
}

// walk is a run of a sampler on a gaussian.
type walk struct {
	s         diffusion.Sampler
	levels    []float64 // σ at each step and after the last
	exploding bool      // x = x0 + σ·ε instead of unit scale
}

func newWalk(t *testing.T, name string, schedule *diffusion.Schedule, steps int) walk {
	w := walk{s: mustSampler(t, name, schedule, steps)}
	if s, ok := w.s.(diffusion.Sigmaed); ok {
		w.levels = s.Sigmas()
		w.exploding = name[0] == 'e'
		return w
	}
	for _, at := range w.s.Timesteps() {
		w.levels = append(w.levels, schedule.Sigma(int(at)))
	}
	w.levels = append(w.levels, schedule.Sigma(0))
	return w
}

func (w walk) step(i int, g gaussian, p diffusion.Prediction, x, noise float64) float64 {
	xs, in := []float32{float32(x)}, []float32{0}
	w.s.ScaleInput(in, xs, i)
	w.s.Step(i, xs, []float32{float32(g.predict(float64(in[0]), w.levels[i], p))}, []float32{float32(noise)})
	return float64(xs[0])
}

// scale turns x0 + σ·ε into the sampler's x at step i.
func (w walk) scale(i int) float64 {
	if w.exploding {
		return 1
	}
	return 1 / math.Hypot(1, w.levels[i])
}

// errorAt runs from a fixed point to the last noise level above 0 and returns the distance to the exact solution.
func (w walk) errorAt(g gaussian, p diffusion.Prediction) float64 {
	const start = 1.3 // deviations
	spread := func(i int) float64 { return math.Hypot(g.deviation, w.levels[i]) }
	last := len(w.levels) - 1
	if w.levels[last] == 0 {
		last--
	}
	x := w.scale(0) * (g.mean + start*spread(0))
	for i := range last {
		x = w.step(i, g, p, x, math.NaN()) // a deterministic sampler reads no noise
	}
	return math.Abs(x/w.scale(last) - (g.mean + start*spread(last)))
}

func TestDeterministicSamplersConvergeToTheExactSolution(t *testing.T) {
	g := gaussian{mean: 0.7, deviation: 0.5}
	for _, test := range []struct {
		name    string
		spacing diffusion.Spacing
		shrink  float64 // of the error where steps double: near 1/2 for first order, 1/4 for second
		bound   float64 // of the error at 80 steps
	}{
		{"ddim", diffusion.Linspace, 0.55, 0.03},
		{"ddim", diffusion.Leading, 0.55, 0.03},
		{"ddim", diffusion.Trailing, 0.55, 0.03},
		{"euler", diffusion.Linspace, 0.55, 0.03},
		{"euler_karras", diffusion.Linspace, 0.55, 0.03},
		{"dpmpp_2m_karras", diffusion.Leading, 0.3, 0.001},
		// Here the last noise level falls as steps grow, which hides the order.
		{"euler", diffusion.Trailing, 0.8, 0.03},
		{"dpmpp_2m", diffusion.Linspace, 0.8, 0.003},
		{"dpmpp_2m", diffusion.Trailing, 0.8, 0.003},
	} {
		for _, p := range []diffusion.Prediction{diffusion.Epsilon, diffusion.Velocity} {
			schedule := diffusion.StableDiffusion(p)
			schedule.Spacing = test.spacing
			coarse := newWalk(t, test.name, schedule, 40).errorAt(g, p)
			fine := newWalk(t, test.name, schedule, 80).errorAt(g, p)
			if !(fine < test.bound) || !(fine < test.shrink*coarse) {
				t.Errorf("%s, spacing %d, %v: error %.3g at 40 steps and %.3g at 80", test.name, test.spacing, p, coarse, fine)
			}
		}
	}
}

// A step is affine in x and noise, so mean and variance of all samples follow from three calls a step.
func (w walk) moments(g gaussian, p diffusion.Prediction) (mean, variance float64) {
	variance = w.s.InitScale() * w.s.InitScale()
	for i := range w.s.Timesteps() {
		base := w.step(i, g, p, 0, 0)
		slope, noise := w.step(i, g, p, 1, 0)-base, w.step(i, g, p, 0, 1)-base
		mean, variance = slope*mean+base, slope*slope*variance+noise*noise
	}
	return mean, variance
}

func TestEulerAncestralSamplesTheData(t *testing.T) {
	g := gaussian{mean: 0.7, deviation: 0.5}
	for _, p := range []diffusion.Prediction{diffusion.Epsilon, diffusion.Velocity} {
		schedule := diffusion.StableDiffusion(p)
		schedule.Spacing = diffusion.Linspace
		off := func(steps int) (mean, deviation float64) {
			m, v := newWalk(t, "euler_a", schedule, steps).moments(g, p)
			return math.Abs(m - g.mean), math.Abs(math.Sqrt(v) - g.deviation)
		}
		_, coarse := off(25)
		mean, fine := off(200)
		if !(mean < 0.005) || !(fine < 0.02) || !(fine < coarse/4) {
			t.Errorf("%v: at 200 steps the mean is off by %.3g, the deviation by %.3g (at 25 by %.3g)", p, mean, fine, coarse)
		}
	}
}
