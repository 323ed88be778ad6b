package kerneltest

import (
	"fmt"
	"math"

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
