//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import (
	"math"

	"easel/engine/kernel"
)

func (b *backend) Concat(y, p, q *kernel.Tensor) error {
	if err := need("concat", usable(y, p, q)); err != nil {
		return err
	}
	c1, c2 := p.Channels(), q.Channels()
	if err := need("concat", y.Channels() == c1+c2 && y.Len() == p.Len()+q.Len() && p.Rows() == q.Rows()); err != nil {
		return err
	}
	return b.call("concat", C.EZ_K_concat, tensors{y, p, q}, dims{y.Rows(), c1, c2})
}

func (b *backend) SliceChannels(y, x *kernel.Tensor, from int) error {
	const op = "slice channels"
	if err := need(op, usable(y, x) && from >= 0 && from+y.Channels() <= x.Channels() && y.Rows() == x.Rows()); err != nil {
		return err
	}
	return b.call(op, C.EZ_K_slice_channels, tensors{y, x}, dims{y.Rows(), y.Channels(), x.Channels(), from})
}

// resampleDims checks an enlargement of x to y.
func resampleDims(op string, y, x *kernel.Tensor) (dims, error) {
	ok := usable(y, x) && len(y.Shape) == 4 && len(x.Shape) == 4 && y.Shape[0] == x.Shape[0] && y.Shape[3] == x.Shape[3] && x.Len() > 0
	if err := need(op, ok); err != nil {
		return nil, err
	}
	return dims{x.Shape[0], x.Shape[1], x.Shape[2], y.Shape[1], y.Shape[2], x.Shape[3]}, nil
}

func (b *backend) UpsampleNearest(y, x *kernel.Tensor) error {
	n, err := resampleDims("upsample", y, x)
	if err != nil {
		return err
	}
	return b.call("upsample", C.EZ_K_upsample, tensors{y, x}, n)
}

func (b *backend) UpsampleNearestGrad(dx, dy *kernel.Tensor) error {
	n, err := resampleDims("upsample gradient", dy, dx)
	if err != nil {
		return err
	}
	return b.call("upsample gradient", C.EZ_K_upsample_grad, tensors{dx, dy}, n)
}

// TimestepEmbedding is computed in Go: a few hundred numbers, in float64.
func (b *backend) TimestepEmbedding(y, t *kernel.Tensor) error {
	if err := need("timestep embedding", f32(t) && usable(y) && y.Channels()%2 == 0 && y.Len() == t.Len()*y.Channels()); err != nil {
		return err
	}
	dim := y.Channels()
	half := dim / 2
	v := make([]float32, y.Len())
	for i, step := range t.F32() {
		for j := range half {
			sin, cos := math.Sincos(float64(step) * math.Exp(-math.Log(10000)*float64(j)/float64(half)))
			v[i*dim+j], v[i*dim+half+j] = float32(cos), float32(sin)
		}
	}
	y.WriteF32(v)
	return nil
}

func (b *backend) Embedding(y, ids, table *kernel.Tensor, first int) error {
	const op = "embedding"
	if err := need(op, usable(y, ids, table) && ids.DType == kernel.I32); err != nil {
		return err
	}
	c := table.Channels()
	if err := need(op, y.Len() == ids.Len()*c); err != nil {
		return err
	}
	return b.call(op, C.EZ_K_embed, tensors{y, ids, table}, dims{ids.Len(), c, table.Rows(), first})
}

func (b *backend) EmbeddingGrad(dtable, ids, dy *kernel.Tensor, first int) error {
	const op = "embedding gradient"
	if err := need(op, f32(dtable) && usable(ids, dy) && ids.DType == kernel.I32); err != nil {
		return err
	}
	c := dtable.Channels()
	if err := need(op, dy.Len() == ids.Len()*c); err != nil {
		return err
	}
	return b.call(op, C.EZ_K_embed_grad, tensors{dtable, ids, dy}, dims{ids.Len(), c, dtable.Rows(), first})
}
