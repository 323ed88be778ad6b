package kerneltest

import (
	"fmt"
	"testing"

	"easel/engine/kernel"
)

func embeddingCalls(m types) []call {
	var calls []call
	for _, c := range []struct {
		ids         []int
		n, channels int
	}{{[]int{1}, 1, 1}, {[]int{2, 4}, 11, 6}, {[]int{3, 77}, 50, 33}, {[]int{5}, 3, 64}} {
		name := fmt.Sprintf("%+v", c)
		s := newSource(name)
		ids := kernel.New(kernel.I32, c.ids...)
		for i := range ids.I32() {
			ids.I32()[i] = int32(s.IntN(c.n))
		}
		ids.I32()[0] = int32(c.n - 1)
		rows := append(c.ids[:len(c.ids):len(c.ids)], c.channels)
		table, dy := s.normal(1, m.w, c.n, c.channels), s.normal(1, m.x, rows...)
		calls = append(calls, call{
			name: "Embedding " + name, results: []*tensor{unwritten(m.y, rows...)}, inputs: []*tensor{ids, table}, weight: table,
			run: func(b backend, r, in []*tensor) error { return b.Embedding(r[0], in[0], in[1]) },
		}, call{
			name: "EmbeddingGrad " + name, results: []*tensor{unwritten(kernel.F32, c.n, c.channels)}, inputs: []*tensor{ids, dy},
			run: func(b backend, r, in []*tensor) error { return b.EmbeddingGrad(r[0], in[0], in[1]) },
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

// runBadIDs checks that an id outside the table is an error.
func runBadIDs(t *testing.T, b backend) {
	table, rows := kernel.New(kernel.F32, 5, 3), kernel.New(kernel.F32, 2, 3)
	for _, id := range []int32{-1, 5, 1 << 30} {
		ids := kernel.New(kernel.I32, 2)
		ids.I32()[1] = id
		if err := b.Embedding(rows, ids, table); err == nil {
			t.Errorf("Embedding takes id %d of a table of 5", id)
		}
		if err := b.EmbeddingGrad(table, ids, rows); err == nil {
			t.Errorf("EmbeddingGrad takes id %d of a table of 5", id)
		}
	}
}
