//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import (
	"math"
	"sort"
	"sync"

	"easel/engine/internal/rng"
	"easel/engine/kernel"
)

// The buckets of k_adam8.h: numbers by their upper 16 bits, from 2⁻²³ to 1.
const (
	bucketLow = (127 - 23) << 7
	buckets   = 23<<7 + 1
)

// The tables of k_adam8.h's code8.
var (
	signedTables   = sync.OnceValue(func() *kernel.Tensor { return code8Tables(kernel.SignedCode8()) })
	unsignedTables = sync.OnceValue(func() *kernel.Tensor { return code8Tables(kernel.UnsignedCode8()) })
)

func code8Tables(c kernel.Code8) *kernel.Tensor {
	t := kernel.New(kernel.I32, 256+buckets)
	value, bucket := t.I32()[:256], t.I32()[256:]
	for code := range value {
		value[code] = int32(math.Float32bits(c.Value(uint8(code))))
	}
	for i := range bucket {
		upper := uint32(bucketLow + i)
		least, lower := math.Float32frombits(upper<<16), uint32(1<<16-1)
		j := sort.Search(len(c.Magnitude)-1, func(j int) bool { return least <= c.Edge(j) })
		if edge := math.Float32bits(c.Edge(j)); edge>>16 == upper {
			lower &= edge
		}
		bucket[i] = int32(uint32(j)<<16 | lower)
	}
	bucket[0] = 1<<16 - 1 // also of all below
	return t
}

func (b *backend) Adam(p, g, m, v *kernel.Tensor, h kernel.AdamStep) error {
	if err := need("AdamW", f32(g, m, v) && trainable(p) && same(p, g, m, v) && h.Step > 0); err != nil {
		return err
	}
	return b.call("AdamW", C.EZ_K_adam, tensors{p, g, m, v}, adamDims(p, h), adamFactors(h)...)
}

func (b *backend) Adam8(p, g, m, v, mScale, vScale *kernel.Tensor, h kernel.AdamStep) error {
	const op = "8-bit AdamW"
	err := need(op, f32(g, mScale, vScale) && trainable(p) && same(p, g) && usable(m, v) && m.DType == kernel.I32 && v.DType == kernel.I32 && h.Step > 0)
	if err != nil {
		return err
	}
	blocks := kernel.AdamBlocks(p.Len())
	if err := need(op, m.Len() == blocks*kernel.AdamBlock/4 && same(m, v) && mScale.Len() == blocks && same(mScale, vScale)); err != nil {
		return err
	}
	ts := tensors{p, g, m, v, mScale, vScale, signedTables(), unsignedTables()}
	return b.call(op, C.EZ_K_adam8, ts, adamDims(p, h), adamFactors(h)...)
}

// trainable says whether a tensor is usable and of a type that optimizers change.
func trainable(p *kernel.Tensor) bool {
	return usable(p) && (p.DType == kernel.F32 || p.DType == kernel.BF16)
}

func adamDims(p *kernel.Tensor, h kernel.AdamStep) dims {
	return dims{p.Len(), int(rng.Key(h.Rounding.Seed, h.Rounding.Step, rng.Rounding))}
}

func adamFactors(h kernel.AdamStep) []float32 {
	keep, rate, correct := h.Factors()
	return []float32{keep, h.Beta1, h.Beta2, h.Eps, rate, correct, h.GradScale}
}
