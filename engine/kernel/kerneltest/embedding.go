package kerneltest

import (
	"fmt"

	"easel/engine/kernel"
)

func embeddingCalls(m types) []call {
	var calls []call
	for _, c := range []struct {
		ids         []int
		n, channels int
		first       int
		foreign     int // ids beyond either end
	}{{[]int{1}, 1, 1, 0, 0}, {[]int{2, 4}, 11, 6, 0, 0}, {[]int{3, 77}, 50, 33, 0, 0}, {[]int{5}, 3, 64, 0, 0},
		{[]int{1}, 1, 1, 7, 0}, {[]int{2, 9}, 3, 5, 4, 2}, {[]int{3, 77}, 2, 33, 49408, 9}, {[]int{4, 6}, 70, 1100, 49408, 40000}} {
		name := fmt.Sprintf("%+v", c)
		s := newSource(name)
		ids := kernel.New(kernel.I32, c.ids...)
		for i := range ids.I32() {
			ids.I32()[i] = int32(c.first + s.IntN(c.n+2*c.foreign) - c.foreign)
		}
		ids.I32()[0] = int32(c.first + c.n - 1)
		rows := append(c.ids[:len(c.ids):len(c.ids)], c.channels)
		table, dy := s.normal(1, m.w, c.n, c.channels), s.normal(1, m.x, rows...)
		calls = append(calls, call{
			name: "Embedding " + name, results: []*tensor{unwritten(m.y, rows...)}, inputs: []*tensor{ids, table}, weight: table,
			run: func(b backend, r, in []*tensor) error { return b.Embedding(r[0], in[0], in[1], c.first) },
		}, call{
			name: "EmbeddingGrad " + name, results: []*tensor{unwritten(kernel.F32, c.n, c.channels)}, inputs: []*tensor{ids, dy},
			run: func(b backend, r, in []*tensor) error { return b.EmbeddingGrad(r[0], in[0], in[1], c.first) },
		})
	}
	for _, dim := range []int{2, 16, 22, 320} {
		steps := kernel.FromF32([]float32{0, 1, 17, 500, 801, 999}, 6)
		calls = append(calls, call{
			name: fmt.Sprintf("TimestepEmbedding %d", dim), results: []*tensor{unwritten(m.y, 6, dim)}, inputs: []*tensor{steps},
			run: func(b backend, r, in []*tensor) error { return b.TimestepEmbedding(r[0], in[0]) },
		})
	}
	return calls
}
