package ref

import (
	"math"

	"easel/engine/kernel"
)

func (backend) TimestepEmbedding(y, t *tensor) error {
	const op = "TimestepEmbedding"
	if err := floating(op, y); err != nil {
		return err
	}
	if err := ofType(op, kernel.F32, t); err != nil {
		return err
	}
	dim := y.Channels()
	if err := fits(op, len(t.Shape) == 1 && is(y, t.Len(), dim) && dim%2 == 0, y, t); err != nil {
		return err
	}
	yv, store := output(y)
	half := dim / 2
	for b, step := range t.F32() {
		for i := range half {
			frequency := math.Exp(-math.Log(10000) * float64(i) / float64(half))
			sin, cos := math.Sincos(float64(step) * frequency)
			yv[b*dim+i], yv[b*dim+half+i] = float32(cos), float32(sin)
		}
	}
	store()
	return nil
}

func (backend) Embedding(y, ids, table *tensor, first int) error {
	const op = "Embedding"
	if err := floating(op, y, table); err != nil {
		return err
	}
	if err := checkIDs(op, ids, y, table); err != nil {
		return err
	}
	c, tv := y.Channels(), input(table)
	yv, store := output(y)
	for r, id := range ids.I32() {
		if at := int(id) - first; at >= 0 && at < table.Shape[0] {
			copy(yv[r*c:][:c], tv[at*c:])
		} else {
			clear(yv[r*c:][:c])
		}
	}
	store()
	return nil
}

func (backend) EmbeddingGrad(dtable, ids, dy *tensor, first int) error {
	const op = "EmbeddingGrad"
	if err := floating(op, dy); err != nil {
		return err
	}
	if err := ofType(op, kernel.F32, dtable); err != nil {
		return err
	}
	if err := checkIDs(op, ids, dy, dtable); err != nil {
		return err
	}
	c, dyv, sum := dy.Channels(), input(dy), make([]float64, dtable.Len())
	for r, id := range ids.I32() {
		at := int(id) - first
		if at < 0 || at >= dtable.Shape[0] {
			continue
		}
		for i, d := range dyv[r*c:][:c] {
			sum[at*c+i] += float64(d)
		}
	}
	finish(dtable.F32(), sum, nil, nil)
	return nil
}

// checkIDs returns an error unless rows is [ids..., c] and table [n, c].
func checkIDs(op string, ids, rows, table *tensor) error {
	if err := ofType(op, kernel.I32, ids); err != nil {
		return err
	}
	ok := len(table.Shape) == 2 && is(rows, append(append([]int(nil), ids.Shape...), table.Channels())...)
	return fits(op, ok, ids, rows, table)
}
