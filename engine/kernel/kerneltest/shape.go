package kerneltest

import (
	"fmt"

	"easel/engine/kernel"
)

func shapeCalls(m types) []call {
	if m.w == kernel.F16 {
		return nil
	}
	var calls []call
	for _, c := range []struct {
		rows         []int
		a, b         int
		small, large [2]int
	}{
		{[]int{1}, 1, 1, [2]int{1, 1}, [2]int{2, 2}},
		{[]int{2, 2, 5}, 3, 4, [2]int{3, 5}, [2]int{6, 10}},
		{[]int{3, 17}, 32, 9, [2]int{2, 3}, [2]int{3, 5}}, // doubled, the last row and column dropped
		{[]int{1, 4, 4}, 40, 24, [2]int{3, 4}, [2]int{7, 9}},
	} {
		s := newSource(fmt.Sprint(c))
		with := func(channels int) []int { return append(c.rows[:len(c.rows):len(c.rows)], channels) }
		a, b, y := s.normal(1, m.x, with(c.a)...), s.normal(1, m.w, with(c.b)...), s.normal(1, m.x, with(c.a+c.b)...)
		calls = append(calls, call{
			name: fmt.Sprintf("Concat %v %d %d", c.rows, c.a, c.b), results: []*tensor{unwritten(m.y, y.Shape...)}, inputs: []*tensor{a, b},
			run: func(b backend, r, in []*tensor) error { return b.Concat(r[0], in[0], in[1]) },
		}, call{
			name:    fmt.Sprintf("SliceChannels %v %d %d", c.rows, c.a, c.b),
			results: []*tensor{unwritten(m.y, a.Shape...), unwritten(m.y, b.Shape...)}, inputs: []*tensor{y},
			run: func(b backend, r, in []*tensor) error {
				if err := b.SliceChannels(r[0], in[0], 0); err != nil {
					return err
				}
				return b.SliceChannels(r[1], in[0], c.a)
			},
		})
		small := s.normal(1, m.x, c.rows[0], c.small[0], c.small[1], c.a)
		large := s.normal(1, m.x, c.rows[0], c.large[0], c.large[1], c.a)
		calls = append(calls, call{
			name: fmt.Sprintf("UpsampleNearest %v", c), results: []*tensor{unwritten(m.y, large.Shape...)}, inputs: []*tensor{small},
			run: func(b backend, r, in []*tensor) error { return b.UpsampleNearest(r[0], in[0]) },
		}, call{
			name: fmt.Sprintf("UpsampleNearestGrad %v", c), results: []*tensor{unwritten(m.y, small.Shape...)}, inputs: []*tensor{large},
			run: func(b backend, r, in []*tensor) error { return b.UpsampleNearestGrad(r[0], in[0]) },
		})
	}
	return calls
}
