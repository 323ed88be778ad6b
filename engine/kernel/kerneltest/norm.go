package kerneltest

import (
	"fmt"

	"easel/engine/kernel"
	"easel/engine/kernel/ref"
)

// groupNormCase normalises x of this shape.
type groupNormCase struct {
	shape  []int
	groups int
	eps    float32
	silu   bool
}

var groupNormCases = []groupNormCase{
	{[]int{1, 1, 1, 8}, 2, 1e-5, false},
	{[]int{2, 5, 7, 12}, 4, 1e-5, true},
	{[]int{3, 3, 3, 6}, 6, 1e-6, false}, // one channel a group
	{[]int{1, 3, 3, 6}, 1, 1e-6, true},
	{[]int{1, 8, 9, 33}, 3, 1e-5, true},
	{[]int{2, 16, 16, 40}, 8, 1e-5, true},
	{[]int{1, 4, 4, 320}, 32, 1e-5, true}, // 10 channels a group
	{[]int{2, 35, 24}, 4, 1e-6, false},    // tokens
}

func groupNormCalls(m types) []call {
	var calls []call
	for _, c := range groupNormCases {
		name := fmt.Sprintf("%+v", c)
		s := newSource(name)
		channels := c.shape[len(c.shape)-1]
		x, dy := s.normal(2, m.x, c.shape...), s.normal(1, m.x, c.shape...)
		gamma, beta := s.normal(1, m.w, channels), s.normal(1, m.w, channels)
		stats := kernel.New(kernel.F32, c.shape[0], c.groups, 2)
		if err := ref.New().GroupNormStats(stats, x, c.groups, c.eps); err != nil {
			panic(err) // a mistake in groupNormCases
		}
		calls = append(calls, call{
			name: "GroupNorm " + name, results: []*tensor{unwritten(m.y, c.shape...)}, inputs: []*tensor{x, stats, gamma, beta},
			run: func(b backend, r, in []*tensor) error {
				return b.GroupNorm(r[0], in[0], in[1], in[2], in[3], c.groups, c.silu)
			},
		}, call{
			name: "GroupNormStats, GroupNorm " + name, results: []*tensor{unwritten(m.y, c.shape...), unwritten(kernel.F32, stats.Shape...)},
			inputs: []*tensor{x, gamma, beta},
			run: func(b backend, r, in []*tensor) error {
				if err := b.GroupNormStats(r[1], in[0], c.groups, c.eps); err != nil {
					return err
				}
				return b.GroupNorm(r[0], in[0], r[1], in[1], in[2], c.groups, c.silu)
			},
		}, call{
			name: "GroupNormGradInput " + name, results: []*tensor{unwritten(m.y, c.shape...)}, inputs: []*tensor{x, stats, gamma, beta, dy},
			run: func(b backend, r, in []*tensor) error {
				return b.GroupNormGradInput(r[0], in[0], in[1], in[2], in[3], in[4], c.groups, c.silu)
			},
		}, call{
			name: "GroupNormGradParams " + name, results: []*tensor{unwritten(kernel.F32, channels), unwritten(kernel.F32, channels)},
			inputs: []*tensor{x, stats, gamma, beta, dy},
			run: func(b backend, r, in []*tensor) error {
				return b.GroupNormGradParams(r[0], r[1], in[0], in[1], in[2], in[3], in[4], c.groups, c.silu)
			},
		})
	}
	return append(calls, narrowStats(m))
}

// narrowStats has a variance that E[x²] - E[x]² in float32 gets wrong.
func narrowStats(m types) call {
	x := newSource("narrow").normal(1e-3, kernel.F32, 1, 6, 5, 8)
	for i, v := range x.F32() {
		x.F32()[i] = v + 0.5
	}
	return call{
		name: "GroupNormStats of a small variance", results: []*tensor{unwritten(kernel.F32, 1, 2, 2)}, inputs: []*tensor{x.Convert(m.x)},
		run: func(b backend, r, in []*tensor) error { return b.GroupNormStats(r[0], in[0], 2, 1e-6) },
	}
}

func layerNormCalls(m types) []call {
	const eps = 1e-5
	var calls []call
	for _, shape := range [][]int{{1, 3}, {2, 7, 19}, {3, 1, 64}, {1, 5, 320}, {2, 3, 3, 33}, {77, 12}} {
		name := fmt.Sprint(shape)
		s := newSource(name)
		c := shape[len(shape)-1]
		x, dy := s.normal(2, m.x, shape...), s.normal(1, m.x, shape...)
		gamma, beta := s.normal(1, m.w, c), s.normal(1, m.w, c)
		calls = append(calls, call{
			name: "LayerNorm " + name, results: []*tensor{unwritten(m.y, shape...)}, inputs: []*tensor{x, gamma, beta},
			run: func(b backend, r, in []*tensor) error { return b.LayerNorm(r[0], in[0], in[1], in[2], eps) },
		}, call{
			name: "LayerNormGradInput " + name, results: []*tensor{unwritten(m.y, shape...)}, inputs: []*tensor{x, gamma, dy},
			run: func(b backend, r, in []*tensor) error { return b.LayerNormGradInput(r[0], in[0], in[1], in[2], eps) },
		}, call{
			name: "LayerNormGradParams " + name, results: []*tensor{unwritten(kernel.F32, c), unwritten(kernel.F32, c)}, inputs: []*tensor{x, dy},
			run: func(b backend, r, in []*tensor) error {
				return b.LayerNormGradParams(r[0], r[1], in[0], in[1], eps)
			},
		})
	}
	return calls
}
