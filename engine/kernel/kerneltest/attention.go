package kerneltest

import (
	"fmt"

	"easel/engine/kernel"
	"easel/engine/kernel/ref"
)

// attentionCase is an attention of tq queries and tk keys with heads of d channels.
type attentionCase struct {
	b, tq, tk, heads, d int
	causal              bool
}

var attentionCases = []attentionCase{
	{1, 1, 1, 1, 1, false},
	{1, 1, 77, 3, 3, false},
	{3, 15, 15, 8, 3, false},
	{2, 33, 77, 2, 8, false},
	{1, 64, 64, 1, 40, false},
	{1, 21, 77, 3, 40, false},
	{1, 9, 154, 5, 80, false},
	{2, 65, 17, 1, 160, false},
	{1, 100, 130, 1, 64, false},
	{2, 77, 77, 3, 4, true},
	{1, 77, 77, 1, 64, true},
	{3, 1, 1, 2, 5, true},
	{1, 35, 35, 7, 1, true},
}

// attentionCalls gives the backward pass the output and lse of the reference. Its allowance is larger: where q and k
// are rounded to bfloat16, the terms of a score s move by up to 2^-7 and its probability by a part of about that times
// |s|, which reaches 8 here; few errors are that large, and they average.
func attentionCalls(m types) []call {
	if m.x != m.w { // there are no weights: one mixture for each of x and y
		return nil
	}
	var calls []call
	for _, c := range attentionCases {
		name := fmt.Sprintf("%+v", c)
		s := newSource(name)
		q := s.normal(2, m.x, c.b, c.tq, c.heads*c.d)
		k, v := s.normal(1, m.x, c.b, c.tk, c.heads*c.d), s.normal(1, m.x, c.b, c.tk, c.heads*c.d)
		do := s.normal(1, m.x, q.Shape...)
		o, lse := kernel.New(m.x, q.Shape...), kernel.New(kernel.F32, c.b, c.heads, c.tq)
		if err := ref.New().Attention(o, lse, q, k, v, c.heads, c.causal); err != nil {
			panic(err) // a mistake in attentionCases
		}
		calls = append(calls, call{
			name: "Attention " + name, results: []*tensor{unwritten(m.y, q.Shape...), unwritten(kernel.F32, lse.Shape...)},
			inputs: []*tensor{q, k, v}, steps: 2, scale: 1,
			run: func(b backend, r, in []*tensor) error {
				return b.Attention(r[0], r[1], in[0], in[1], in[2], c.heads, c.causal)
			},
		}, call{
			name:    "AttentionGrad " + name,
			results: []*tensor{unwritten(m.y, q.Shape...), unwritten(m.y, k.Shape...), unwritten(m.y, k.Shape...)},
			inputs:  []*tensor{q, k, v, o, lse, do}, steps: 6, scale: 1,
			run: func(b backend, r, in []*tensor) error {
				return b.AttentionGrad(r[0], r[1], r[2], in[0], in[1], in[2], in[3], in[4], in[5], c.heads, c.causal)
			},
		})
	}
	return calls
}
