package ref

import (
	"math"

	"easel/engine/kernel"
)

// heads holds the sizes of one attention: q [b,tq,n·d], k and v [b,tk,n·d].
type heads struct {
	b, tq, tk, n, d int
	causal          bool
}

func (h heads) scale() float64 { return 1 / math.Sqrt(float64(h.d)) }

// of returns one head's [tokens, d] matrix of an activation with t tokens.
func (h heads) of(v []float32, t, b, head int) matrix[float32] {
	return matrix[float32]{v[b*t*h.n*h.d+head*h.d:], h.n * h.d, 1}
}

func attentionSizes(op string, q, k, v, lse *tensor, n int, causal bool) (h heads, err error) {
	if len(q.Shape) != 3 || len(k.Shape) != 3 || n < 1 || q.Len() == 0 || k.Len() == 0 || q.Shape[2]%n != 0 {
		return h, fits(op, false, q, k, v)
	}
	h = heads{q.Shape[0], q.Shape[1], k.Shape[1], n, q.Shape[2] / n, causal}
	ok := is(k, h.b, h.tk, n*h.d) && sameShape(k, v) && is(lse, h.b, n, h.tq)
	return h, fits(op, ok, q, k, v, lse)
}

// probabilities sets p [m, tk] to the softmax of the scores of queries i0..i0+m-1, and lse to their log Σ exp. kt is k transposed.
func (h heads) probabilities(p, lse []float64, q, kt matrix[float32], i0, m int) {
	clear(p)
	addProduct(rowMajor(p, h.tk), matrix[float32]{q.v[i0*q.row:], q.row, 1}, kt, m, h.d, h.tk)
	for i := range m {
		row := p[i*h.tk:][:h.tk]
		seen := h.tk
		if h.causal {
			seen = min(i0+i+1, h.tk)
		}
		for j := range row[:seen] {
			row[j] *= h.scale()
		}
		lse[i] = softmax(row[:seen])
		clear(row[seen:])
	}
}

// softmax replaces scores by their softmax and returns log Σ exp.
func softmax(row []float64) float64 {
	top, sum := math.Inf(-1), 0.0
	for _, s := range row {
		top = max(top, s)
	}
	for j, s := range row {
		row[j] = math.Exp(s - top)
		sum += row[j]
	}
	for j := range row {
		row[j] /= sum
	}
	return top + math.Log(sum)
}

func (backend) Attention(o, lse, q, k, v *tensor, n int, causal bool) error {
	const op = "Attention"
	if err := floating(op, o, q, k, v); err != nil {
		return err
	}
	if err := ofType(op, kernel.F32, lse); err != nil {
		return err
	}
	h, err := attentionSizes(op, q, k, v, lse, n, causal)
	if err != nil {
		return err
	}
	if err := fits(op, sameShape(q, o), o, q); err != nil {
		return err
	}
	qv, kv, vv := input(q), input(k), input(v)
	ov, store := output(o)
	for i := range h.b * h.n {
		b, head := i/h.n, i%h.n
		kt := transpose(h.of(kv, h.tk, b, head), h.tk, h.d)
		qh, vh, oh := h.of(qv, h.tq, b, head), h.of(vv, h.tk, b, head), h.of(ov, h.tq, b, head)
		parallel(h.tq, func(from, to int) {
			h.attend(oh, lse.F32()[i*h.tq:], qh, kt, vh, from, to)
		})
	}
	store()
	return nil
}

// attend computes rows from..to-1 of one head's output and lse.
func (h heads) attend(o matrix[float32], lse []float32, q, kt, v matrix[float32], from, to int) {
	p, sum, rowLSE := make([]float64, blockRows*h.tk), make([]float64, blockRows*h.d), make([]float64, blockRows)
	for i0 := from; i0 < to; i0 += blockRows {
		m := min(blockRows, to-i0)
		h.probabilities(p, rowLSE, q, kt, i0, m)
		clear(sum)
		addProduct(rowMajor(sum, h.d), rowMajor(p, h.tk), v, m, h.tk, h.d)
		for i := range m {
			lse[i0+i] = float32(rowLSE[i])
			finish(o.v[(i0+i)*o.row:][:h.d], sum[i*h.d:], nil, nil)
		}
	}
}

// AttentionGrad finds the probabilities again, so it needs neither the values of o nor of lse.
func (backend) AttentionGrad(dq, dk, dv, q, k, v, o, lse, do *tensor, n int, causal bool) error {
	const op = "AttentionGrad"
	if err := floating(op, dq, dk, dv, q, k, v, o, do); err != nil {
		return err
	}
	if err := ofType(op, kernel.F32, lse); err != nil {
		return err
	}
	h, err := attentionSizes(op, q, k, v, lse, n, causal)
	if err != nil {
		return err
	}
	if err := fits(op, sameShape(q, dq, o, do) && sameShape(k, dk, dv), dq, dk, dv, q, k, v, o, do); err != nil {
		return err
	}
	qv, kv, vv, dov := input(q), input(k), input(v), input(do)
	dqv, storeQ := output(dq)
	dkv, storeK := output(dk)
	dvv, storeV := output(dv)
	parallel(h.b*h.n, func(from, to int) {
		for i := from; i < to; i++ {
			b, head := i/h.n, i%h.n
			h.gradient(h.of(dqv, h.tq, b, head), h.of(dkv, h.tk, b, head), h.of(dvv, h.tk, b, head),
				h.of(qv, h.tq, b, head), h.of(kv, h.tk, b, head), h.of(vv, h.tk, b, head), h.of(dov, h.tq, b, head))
		}
	})
	storeQ()
	storeK()
	storeV()
	return nil
}

// gradient computes one head: P = softmax(q·kᵀ·scale), dv = Pᵀ·do, dP = do·vᵀ, dS = P·(dP - Σ P·dP)·scale, dq = dS·k, dk = dSᵀ·q.
func (h heads) gradient(dq, dk, dv, q, k, v, do matrix[float32]) {
	kt, vt := transpose(k, h.tk, h.d), transpose(v, h.tk, h.d)
	p, ds, lse := make([]float64, blockRows*h.tk), make([]float64, blockRows*h.tk), make([]float64, blockRows)
	sumQ, sumK, sumV := make([]float64, blockRows*h.d), make([]float64, h.tk*h.d), make([]float64, h.tk*h.d)
	for i0 := 0; i0 < h.tq; i0 += blockRows {
		m := min(blockRows, h.tq-i0)
		qi, doi := matrix[float32]{q.v[i0*q.row:], q.row, 1}, matrix[float32]{do.v[i0*do.row:], do.row, 1}
		h.probabilities(p, lse, q, kt, i0, m)
		addProduct(rowMajor(sumV, h.d), matrix[float64]{p, 1, h.tk}, doi, h.tk, m, h.d)
		clear(ds)
		addProduct(rowMajor(ds, h.tk), doi, vt, m, h.d, h.tk)
		for i := range m {
			softmaxGradient(ds[i*h.tk:][:h.tk], p[i*h.tk:][:h.tk], h.scale())
		}
		addProduct(rowMajor(sumK, h.d), matrix[float64]{ds, 1, h.tk}, qi, h.tk, m, h.d)
		clear(sumQ)
		addProduct(rowMajor(sumQ, h.d), rowMajor(ds, h.tk), k, m, h.tk, h.d)
		h.storeRows(matrix[float32]{dq.v[i0*dq.row:], dq.row, 1}, sumQ, m)
	}
	h.storeRows(dk, sumK, h.tk)
	h.storeRows(dv, sumV, h.tk)
}

// softmaxGradient replaces dp by p·(dp - Σ p·dp)·scale.
func softmaxGradient(dp, p []float64, scale float64) {
	mean := 0.0
	for j := range p {
		mean += p[j] * dp[j]
	}
	for j := range p {
		dp[j] = p[j] * (dp[j] - mean) * scale
	}
}

func (h heads) storeRows(to matrix[float32], sum []float64, m int) {
	for i := range m {
		finish(to.v[i*to.row:][:h.d], sum[i*h.d:], nil, nil)
	}
}
