package kerneltest

import (
	"fmt"
	"math"
	"testing"

	"easel/engine/kernel"
)

// linearCase multiplies rows of in values with a weight [out, in].
type linearCase struct {
	shape   []int // of the rows: x is [shape..., in]
	in, out int
	alpha   float32
}

var linearCases = []linearCase{
	{[]int{1}, 1, 1, 1},
	{[]int{1, 1}, 16, 3, 1},
	{[]int{2, 5}, 13, 9, 1},
	{[]int{3}, 17, 31, 1},
	{[]int{3, 77}, 40, 24, 1},
	{[]int{1, 4, 6}, 33, 65, 1},
	{[]int{1}, 320, 7, 1},
	{[]int{2}, 77, 66, 1}, // few rows, as of a decoder that writes a token at a time
	{[]int{4}, 4099, 5, -0.5},
	{[]int{3}, 96, 513, 1},
	{[]int{2, 19}, 4, 48, 0.5}, // LoRA's up
	{[]int{2, 19}, 48, 4, 1.0 / 3},
	{[]int{65}, 1, 5, -2},
}

func linearCalls(m types) []call {
	var calls []call
	for i, c := range linearCases {
		name := fmt.Sprintf("%v %d->%d alpha %g", c.shape, c.in, c.out, c.alpha)
		s, alpha := newSource(name), math.Abs(float64(c.alpha))
		x := s.normal(1, m.x, append(c.shape[:len(c.shape):len(c.shape)], c.in)...)
		dy := s.normal(1, m.x, append(c.shape[:len(c.shape):len(c.shape)], c.out)...)
		wShape := []int{c.out, c.in}
		if i%2 == 1 { // a 1x1 convolution's weight
			wShape = append(wShape, 1, 1)
		}
		w := s.normal(fanIn(c.in), m.w, wShape...)
		for _, o := range []extras{{}, {bias: true}, {bias: true, add: distinct}, {add: aliased}, {bias: true, add: aliased}} {
			y, bias, add := o.tensors(s, m, c.out, dy.Shape...)
			calls = append(calls, call{
				name: fmt.Sprintf("Linear %s %v", name, o), results: []*tensor{y}, inputs: []*tensor{x, w, bias, add}, weight: w,
				steps: 2, scale: alpha,
				run: func(b backend, r, in []*tensor) error { return b.Linear(r[0], in[0], in[1], in[2], in[3], c.alpha) },
			})
		}
		for _, o := range []extras{{}, {add: distinct}, {add: aliased}} {
			dx, _, add := o.tensors(s, m, c.in, x.Shape...)
			calls = append(calls, call{
				name: fmt.Sprintf("LinearGradInput %s %v", name, o), results: []*tensor{dx}, inputs: []*tensor{dy, w, add}, weight: w,
				steps: 2, scale: alpha * math.Sqrt(float64(c.out)/float64(c.in)),
				run: func(b backend, r, in []*tensor) error { return b.LinearGradInput(r[0], in[0], in[1], in[2], c.alpha) },
			})
		}
		calls = append(calls, call{
			name: "LinearGradWeight " + name, results: []*tensor{unwritten(kernel.F32, w.Shape...)}, inputs: []*tensor{x, dy},
			steps: 2, scale: alpha * math.Sqrt(float64(x.Rows())),
			run: func(b backend, r, in []*tensor) error { return b.LinearGradWeight(r[0], in[0], in[1], c.alpha) },
		}, call{
			name: "SumRows " + name, results: []*tensor{unwritten(kernel.F32, c.out)}, inputs: []*tensor{dy},
			run: func(b backend, r, in []*tensor) error { return b.SumRows(r[0], in[0]) },
		})
	}
	return calls
}

// runSumSquares checks the one method that returns a number.
func runSumSquares(t *testing.T, b backend, opt Options) {
	for _, m := range mixtures[:2] {
		if !opt.computes(m) {
			continue
		}
		for _, n := range []int{1, 7, 1000, 4099} {
			x, want := newSource("squares").normal(1, m.x, n), 0.0
			for _, v := range x.Floats() {
				want += float64(v) * float64(v)
			}
			got, err := b.SumSquares(x)
			if err != nil {
				t.Fatal(err)
			}
			if !(math.Abs(got-want) <= 1e-7*want) {
				t.Errorf("%v, %d values: %g, want %g", m.x, n, got, want)
			}
		}
	}
}
