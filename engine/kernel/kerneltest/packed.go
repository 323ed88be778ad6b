package kerneltest

import (
	"fmt"
	"testing"

	"easel/engine/kernel"
)

// runPacked uses one frozen weight for several methods and sizes in turn: packed forms must not be mixed up, least of
// all those of a square matrix and its transpose.
func runPacked(t *testing.T, b, oracle backend, opt Options) {
	for _, m := range mixtures {
		if opt.computes(m) {
			packedUses(t, b, oracle, m, 20, 12)
			packedUses(t, b, oracle, m, 32, 32)
		}
	}
}

func packedUses(t *testing.T, b, oracle backend, m types, in, out int) {
	s := newSource("packed")
	square, flat := s.normal(fanIn(in*9), m.w, out, in, 3, 3), s.normal(fanIn(in), m.w, out, in, 1, 1)
	for _, w := range []*tensor{square, flat} {
		w.Frozen = true
		for round := range 2 {
			for _, stride := range []int{1, 2} {
				for _, size := range []int{6, 9} {
					g := kernel.Conv{Stride: stride, Top: 1, Left: 1, Bottom: 1, Right: 1}
					oh, ow := g.OutSize(size, size+1, w.Shape[2], w.Shape[3])
					x, dy := s.normal(1, m.x, 1, size, size+1, in), s.normal(1, m.x, 1, oh, ow, out)
					packedUse(t, b, oracle, fmt.Sprintf("%v Conv2D, round %d", m, round), unwritten(m.y, dy.Shape...), m,
						func(b backend, r *tensor) error { return b.Conv2D(r, x, w, nil, nil, g) })
					packedUse(t, b, oracle, fmt.Sprintf("%v Conv2DGradInput, round %d", m, round), unwritten(m.y, x.Shape...), m,
						func(b backend, r *tensor) error { return b.Conv2DGradInput(r, dy, w, g) })
				}
			}
			if w == square {
				continue
			}
			x, dy := s.normal(1, m.x, 1+6*round, in), s.normal(1, m.x, 1+6*round, out)
			packedUse(t, b, oracle, fmt.Sprintf("%v Linear, round %d", m, round), unwritten(m.y, dy.Shape...), m,
				func(b backend, r *tensor) error { return b.Linear(r, x, w, nil, nil, 1) })
			packedUse(t, b, oracle, fmt.Sprintf("%v LinearGradInput, round %d", m, round), unwritten(m.y, x.Shape...), m,
				func(b backend, r *tensor) error { return b.LinearGradInput(r, dy, w, nil, 1) })
		}
	}
}

// packedUse compares one use of a shared weight, which, other than in call, is not copied.
func packedUse(t *testing.T, b, oracle backend, name string, result *tensor, m types, run func(b backend, r *tensor) error) {
	t.Helper()
	want := kernel.New(kernel.F32, result.Shape...)
	if err := run(oracle, want); err != nil {
		t.Fatalf("%s: the reference: %v", name, err)
	}
	if err := run(b, result); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	steps := 0.0
	if m.x == kernel.BF16 || m.y == kernel.BF16 || m.w == kernel.BF16 {
		steps = 3
	}
	if err := difference(result.Floats(), want.F32(), bound(steps), 1); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}
