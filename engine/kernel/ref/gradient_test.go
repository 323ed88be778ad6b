package ref_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"easel/engine/kernel"
	"easel/engine/kernel/ref"
)

// operator is a method with its gradient, for a comparison with finite differences.
type operator struct {
	name   string
	inputs []*kernel.Tensor // those to differentiate by
	y      *kernel.Tensor
	value  func() error                                      // computes y from inputs
	grads  func(dy *kernel.Tensor, d []*kernel.Tensor) error // computes d, of inputs' shapes
}

// TestGradientsAreThoseOfFiniteDifferences differentiates Σ dy·y by every element of every input. Differences of
// steps h and 2h, combined so that the error falls with h⁴, leave the rounding of y to float32 (2^-24/h) as the
// largest error: about 1e-5 of the largest gradient, times the root of the number of outputs.
func TestGradientsAreThoseOfFiniteDifferences(t *testing.T) {
	const tolerance = 3e-4
	for _, op := range operators(rand.New(rand.NewPCG(1, 2))) {
		t.Run(op.name, func(t *testing.T) {
			dy := normal(rand.New(rand.NewPCG(3, 4)), op.y.Shape...)
			var grads []*kernel.Tensor
			for _, in := range op.inputs {
				grads = append(grads, shapeOf(in))
			}
			must(t, op.value())
			must(t, op.grads(dy, grads))
			for i, in := range op.inputs {
				want := numerical(t, op, in.F32(), dy)
				largest, worst := 0.0, 0.0
				for j, w := range want {
					largest = max(largest, math.Abs(w))
					worst = max(worst, math.Abs(w-float64(grads[i].F32()[j])))
				}
				if !(worst <= tolerance*largest) {
					t.Errorf("input %d: off by %.2g of %.2g", i, worst, largest)
				}
			}
		})
	}
}

// numerical is the gradient of Σ dy·y by values, which are changed in place and restored.
func numerical(t *testing.T, op operator, values []float32, dy *kernel.Tensor) []float64 {
	const h = 1.0 / 64
	grad := make([]float64, len(values))
	for i, x := range values {
		at := func(step float32) float64 {
			values[i] = x + step
			must(t, op.value())
			sum := 0.0
			for j, d := range dy.F32() {
				sum += float64(d) * float64(op.y.F32()[j])
			}
			return sum
		}
		// The distances really taken, after rounding x+step.
		slope := func(step float32) float64 {
			return (at(step) - at(-step)) / (float64(x+step) - float64(x-step))
		}
		grad[i] = (4*slope(h) - slope(2*h)) / 3
		values[i] = x
	}
	return grad
}

// shapeOf makes a result of the shape of another tensor.
func shapeOf(t *kernel.Tensor) *kernel.Tensor { return kernel.New(kernel.F32, t.Shape...) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func normal(r *rand.Rand, shape ...int) *kernel.Tensor {
	t := kernel.New(kernel.F32, shape...)
	for i := range t.F32() {
		t.F32()[i] = float32(r.NormFloat64())
	}
	return t
}

func operators(r *rand.Rand) []operator {
	ops := []operator{
		convOperator(r, 5, 4, 3, 4, 3, kernel.Conv{Stride: 1, Top: 1, Left: 1, Bottom: 1, Right: 1}),
		convOperator(r, 6, 7, 2, 3, 3, kernel.Conv{Stride: 2, Bottom: 1, Right: 1}),
		convOperator(r, 6, 8, 2, 3, 2, kernel.Conv{Stride: 3, Top: 1}),
		linearOperator(r, 1), linearOperator(r, -0.4),
		attentionOperator(r, 5, 7, 2, 3, false), attentionOperator(r, 6, 6, 1, 5, true), attentionOperator(r, 20, 3, 3, 1, false),
		groupNormOperator(r, 6, 3, false), groupNormOperator(r, 6, 3, true), groupNormOperator(r, 4, 4, true), groupNormOperator(r, 5, 1, true),
		layerNormOperator(r), gegluOperator(r), softmaxOperator(r), upsampleOperator(r, 5, 6), upsampleOperator(r, 7, 3), addChannelsOperator(r), embeddingOperator(r),
	}
	for f := kernel.SiLU; f <= kernel.Mish; f++ {
		ops = append(ops, activationOperator(r, f))
	}
	for kind := kernel.MSE; kind <= kernel.SmoothL1; kind++ {
		ops = append(ops, lossOperator(r, kind, 2), lossOperator(r, kind, 2, 3, 4))
	}
	return ops
}

var b = ref.New()

func convOperator(r *rand.Rand, h, w, in, out, size int, c kernel.Conv) operator {
	oh, ow := c.OutSize(h, w, size, size)
	x, weight, bias, y := normal(r, 2, h, w, in), normal(r, out, in, size, size), normal(r, out), kernel.New(kernel.F32, 2, oh, ow, out)
	return operator{
		fmt.Sprintf("Conv2D %+v", c), []*kernel.Tensor{x, weight, bias}, y,
		func() error { return b.Conv2D(y, x, weight, bias, nil, c) },
		func(dy *kernel.Tensor, d []*kernel.Tensor) error {
			return errors.Join(b.Conv2DGradInput(d[0], dy, weight, c), b.Conv2DGradWeight(d[1], x, dy, c), b.SumRows(d[2], dy))
		},
	}
}

func linearOperator(r *rand.Rand, alpha float32) operator {
	x, w, y := normal(r, 2, 3, 7), normal(r, 5, 7), kernel.New(kernel.F32, 2, 3, 5)
	return operator{
		fmt.Sprintf("Linear alpha %g", alpha), []*kernel.Tensor{x, w}, y,
		func() error { return b.Linear(y, x, w, nil, nil, alpha) },
		func(dy *kernel.Tensor, d []*kernel.Tensor) error {
			return errors.Join(b.LinearGradInput(d[0], dy, w, nil, alpha), b.LinearGradWeight(d[1], x, dy, alpha))
		},
	}
}

func attentionOperator(r *rand.Rand, tq, tk, heads, d int, causal bool) operator {
	q, k, v := normal(r, 2, tq, heads*d), normal(r, 2, tk, heads*d), normal(r, 2, tk, heads*d)
	o, lse := shapeOf(q), kernel.New(kernel.F32, 2, heads, tq)
	return operator{
		fmt.Sprintf("Attention %dx%d heads %d of %d causal %v", tq, tk, heads, d, causal), []*kernel.Tensor{q, k, v}, o,
		func() error { return b.Attention(o, lse, q, k, v, heads, causal) },
		func(dy *kernel.Tensor, g []*kernel.Tensor) error {
			return b.AttentionGrad(g[0], g[1], g[2], q, k, v, o, lse, dy, heads, causal)
		},
	}
}

func groupNormOperator(r *rand.Rand, channels, groups int, silu bool) operator {
	x, gamma, beta := normal(r, 2, 3, 4, channels), normal(r, channels), normal(r, channels)
	y, stats := shapeOf(x), kernel.New(kernel.F32, 2, groups, 2)
	return operator{
		fmt.Sprintf("GroupNorm %d in %d silu %v", channels, groups, silu), []*kernel.Tensor{x, gamma, beta}, y,
		func() error {
			return errors.Join(b.GroupNormStats(stats, x, groups, 0.1), b.GroupNorm(y, x, stats, gamma, beta, groups, silu))
		},
		func(dy *kernel.Tensor, d []*kernel.Tensor) error {
			return errors.Join(b.GroupNormGradInput(d[0], x, stats, gamma, beta, dy, groups, silu),
				b.GroupNormGradParams(d[1], d[2], x, stats, gamma, beta, dy, groups, silu))
		},
	}
}

func layerNormOperator(r *rand.Rand) operator {
	x, gamma, beta, y := normal(r, 2, 3, 7), normal(r, 7), normal(r, 7), kernel.New(kernel.F32, 2, 3, 7)
	return operator{
		"LayerNorm", []*kernel.Tensor{x, gamma, beta}, y,
		func() error { return b.LayerNorm(y, x, gamma, beta, 0.1) },
		func(dy *kernel.Tensor, d []*kernel.Tensor) error {
			return errors.Join(b.LayerNormGradInput(d[0], x, gamma, dy, 0.1), b.LayerNormGradParams(d[1], d[2], x, dy, 0.1))
		},
	}
}

func activationOperator(r *rand.Rand, f kernel.Activation) operator {
	x, y := normal(r, 100), kernel.New(kernel.F32, 100)
	for i, v := range x.F32() { // away from 0, where some have a corner
		x.F32()[i] = v + float32(math.Copysign(0.05, float64(v)))
	}
	return operator{
		fmt.Sprintf("Activate %d", f), []*kernel.Tensor{x}, y,
		func() error { return b.Activate(y, x, f) },
		func(dy *kernel.Tensor, d []*kernel.Tensor) error { return b.ActivateGrad(d[0], x, dy, f) },
	}
}

func gegluOperator(r *rand.Rand) operator {
	x, y := normal(r, 2, 3, 10), kernel.New(kernel.F32, 2, 3, 5)
	return operator{
		"GEGLU", []*kernel.Tensor{x}, y,
		func() error { return b.GEGLU(y, x) },
		func(dy *kernel.Tensor, d []*kernel.Tensor) error { return b.GEGLUGrad(d[0], x, dy) },
	}
}

func softmaxOperator(r *rand.Rand) operator {
	x, y := normal(r, 2, 3, 7), kernel.New(kernel.F32, 2, 3, 7)
	return operator{
		"Softmax", []*kernel.Tensor{x}, y,
		func() error { return b.Softmax(y, x) },
		func(dy *kernel.Tensor, d []*kernel.Tensor) error { return b.SoftmaxGrad(d[0], y, dy) },
	}
}

func upsampleOperator(r *rand.Rand, h, w int) operator {
	x, y := normal(r, 2, 3, 3, 2), kernel.New(kernel.F32, 2, h, w, 2)
	return operator{
		fmt.Sprintf("UpsampleNearest to %dx%d", h, w), []*kernel.Tensor{x}, y,
		func() error { return b.UpsampleNearest(y, x) },
		func(dy *kernel.Tensor, d []*kernel.Tensor) error { return b.UpsampleNearestGrad(d[0], dy) },
	}
}

func addChannelsOperator(r *rand.Rand) operator {
	x, t, y := normal(r, 2, 3, 2, 5), normal(r, 2, 5), kernel.New(kernel.F32, 2, 3, 2, 5)
	return operator{
		"AddChannels", []*kernel.Tensor{t}, y,
		func() error { return b.AddChannels(y, x, t) },
		func(dy *kernel.Tensor, d []*kernel.Tensor) error { return b.SumPixels(d[0], dy) },
	}
}

func embeddingOperator(r *rand.Rand) operator {
	table, ids, y := normal(r, 5, 3), kernel.New(kernel.I32, 2, 3), kernel.New(kernel.F32, 2, 3, 3)
	copy(ids.I32(), []int32{11, 7, 11, 8, 3, 12}) // of a table whose rows are 7 to 11
	return operator{
		"Embedding", []*kernel.Tensor{table}, y,
		func() error { return b.Embedding(y, ids, table, 7) },
		func(dy *kernel.Tensor, d []*kernel.Tensor) error { return b.EmbeddingGrad(d[0], ids, dy, 7) },
	}
}

// lossOperator multiplies the loss by dy's one element, as a chain rule would.
func lossOperator(r *rand.Rand, kind kernel.LossKind, weightShape ...int) operator {
	pred, target, weight, y := normal(r, 2, 3, 4), normal(r, 2, 3, 4), normal(r, weightShape...), kernel.New(kernel.F32, 1)
	c := kernel.FromF32([]float32{0.3, 1}, 2)
	return operator{
		fmt.Sprintf("Loss %d weight %v", kind, weightShape), []*kernel.Tensor{pred}, y,
		func() error { return b.Loss(y, pred, target, weight, c, kind) },
		func(dy *kernel.Tensor, d []*kernel.Tensor) error {
			return errors.Join(b.LossGrad(d[0], pred, target, weight, c, kind), b.Scale(d[0], d[0], dy.F32()[0]))
		},
	}
}
