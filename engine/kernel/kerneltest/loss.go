package kerneltest

import (
	"fmt"
	"math"
	"testing"

	"easel/engine/kernel"
)

func lossCalls(m types) []call {
	if m.w == kernel.F16 {
		return nil
	}
	var calls []call
	for _, kind := range []kernel.LossKind{kernel.MSE, kernel.Huber, kernel.SmoothL1} {
		for _, shape := range [][]int{{1, 1}, {3, 5, 7, 4}, {2, 8, 8, 4}, {4, 33}} {
			s := newSource(fmt.Sprint(shape))
			pred, target := s.normal(1, m.x, shape...), s.normal(1, m.w, shape...)
			var c *tensor
			if kind != kernel.MSE {
				c = positive(s.normal(0.3, kernel.F32, shape[0]))
			}
			for _, weight := range []*tensor{nil, positive(s.normal(1, kernel.F32, shape[0])), positive(s.normal(1, kernel.F32, shape...))} {
				name := fmt.Sprintf("%d %v", kind, shape)
				if weight != nil {
					name += fmt.Sprintf(" weight %v", weight.Shape)
				}
				inputs := []*tensor{pred, target, weight, c}
				calls = append(calls, call{
					name: "Loss " + name, results: []*tensor{unwritten(kernel.F32, 1)}, inputs: inputs,
					run: func(b backend, r, in []*tensor) error { return b.Loss(r[0], in[0], in[1], in[2], in[3], kind) },
				}, call{
					name: "LossGrad " + name, results: []*tensor{unwritten(m.y, shape...)}, inputs: inputs,
					run: func(b backend, r, in []*tensor) error { return b.LossGrad(r[0], in[0], in[1], in[2], in[3], kind) },
				})
			}
		}
	}
	return calls
}

// positive replaces the values by their sizes.
func positive(t *tensor) *tensor {
	for i, v := range t.F32() {
		t.F32()[i] = float32(math.Abs(float64(v)))
	}
	return t
}

// runAdam takes several steps, with momentum from step to step.
func runAdam(t *testing.T, b, oracle backend) {
	for _, n := range []int{1, 7, 64, 1031} {
		s := newSource("adam")
		p, m, v := s.normal(1, kernel.F32, n), kernel.New(kernel.F32, n), kernel.New(kernel.F32, n)
		c := call{
			results: []*tensor{p, m, v}, inputs: []*tensor{s.normal(1, kernel.F32, n), s.normal(1e-6, kernel.F32, n), s.normal(1, kernel.F32, n)},
			run: func(b backend, r, in []*tensor) error {
				for i, g := range in {
					step := kernel.AdamStep{Rate: 1e-2, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.1, Step: i + 1, GradScale: 0.5}
					if err := b.Adam(r[0], g, r[1], r[2], step); err != nil {
						return err
					}
				}
				return nil
			},
		}
		if err := c.check(b, oracle); err != nil {
			t.Errorf("%d parameters: %v", n, err)
		}
	}
}
