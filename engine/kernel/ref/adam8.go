package ref

import (
	"math"
	"sort"

	"easel/engine/kernel"
)

func (backend) Adam8(p, g, m, v, mScale, vScale *tensor, h kernel.AdamStep) error {
	const op = "Adam8"
	if err := ofType(op, kernel.F32, g, mScale, vScale); err != nil {
		return err
	}
	if err := ofType(op, kernel.I32, m, v); err != nil {
		return err
	}
	if err := adamFits(op, p, g, h); err != nil {
		return err
	}
	blocks := kernel.AdamBlocks(p.Len())
	ok := is(m, blocks*kernel.AdamBlock/4) && is(mScale, blocks) && sameShape(m, v) && sameShape(mScale, vScale)
	if err := fits(op, ok, p, m, v, mScale, vScale); err != nil {
		return err
	}
	values := input(p)
	parallel(blocks, func(from, to int) {
		for b := from; b < to; b++ {
			at, end := b*kernel.AdamBlock, min((b+1)*kernel.AdamBlock, len(values))
			adamBlock(values[at:end], g.F32()[at:end], m.Data[at:], v.Data[at:], &mScale.F32()[b], &vScale.F32()[b], h)
		}
	})
	roundInto(p, values, h.Rounding)
	return nil
}

// adamBlock makes the step of the values that share a scale. The conversions keep the compiler from fusing a product with
// a sum, so that each is rounded.
func adamBlock(values, g []float32, m, v []byte, mScale, vScale *float32, h kernel.AdamStep) {
	keep, rate, correct := h.Factors()
	signed, unsigned := kernel.SignedCode8(), kernel.UnsignedCode8()
	beta1, beta2 := h.Beta1**mScale, h.Beta2**vScale
	var ms, vs [kernel.AdamBlock]float32
	*mScale, *vScale = 0, 0
	for i, grad := range g {
		d := grad * h.GradScale
		m1 := float32(signed.Value(m[i])*beta1) + float32((1-h.Beta1)*d)
		v1 := float32(unsigned.Value(v[i])*beta2) + float32(float32((1-h.Beta2)*d)*d)
		way := float32(rate*m1) / (float32(float32(math.Sqrt(float64(v1)))*correct) + h.Eps)
		values[i] = float32(values[i]*keep) - way
		ms[i], vs[i] = m1, v1
		*mScale, *vScale = max(*mScale, m1, -m1), max(*vScale, v1)
	}
	for i := range g {
		m[i] = nearest(signed, ms[i], *mScale)
		v[i] = nearest(unsigned, vs[i], *vScale)
	}
}

// nearest is the code of x relative to the scale.
func nearest(c kernel.Code8, x, scale float32) uint8 {
	relative := float32(0)
	if scale != 0 {
		relative = x * (1 / scale)
	}
	size := max(relative, -relative)
	last := len(c.Magnitude) - 1
	j := sort.Search(last, func(j int) bool { return size <= c.Edge(j) })
	if x < 0 {
		return uint8(c.Zero - min(max(j, 1), last-1))
	}
	return uint8(c.Zero + j)
}
