//go:build cgo && linux && amd64

package onednn

/*
#include "ez.h"
*/
import "C"

import (
	"runtime"

	"easel/engine/kernel"
)

// matmul finds or makes a matrix product. An addend of its own that oneDNN only offers in reference code is refused.
func (b *backend) matmul(op string, m C.ez_matmul) (*C.ez_prim, error) {
	p, known := b.matmuls[m]
	if !known {
		if s := C.ez_matmul_new(&m, &p); s != 0 && m.add != C.EZ_ADD_OTHER {
			return nil, failure(op, s)
		}
		if m.add == C.EZ_ADD_OTHER && p != nil && implementation(p, "ref") {
			C.ez_prim_free(p)
			p = nil
		}
		keep(b.matmuls, m, p)
	}
	if p == nil {
		return nil, failure(op, C.EZ_UNIMPLEMENTED)
	}
	return p, nil
}

// product is dst = alpha · src·w + bias + add with a weight w.
type product struct {
	dst, src, w, bias, add *kernel.Tensor
	k, n                   int
	transposed             bool // w is stored [n,k]
	alpha                  float32
}

// packedRows: products of fewer rows use a frozen weight in oneDNN's own layout, one copy for each direction. With more
// rows the plain weight costs 2 to 5 % of speed (38 % at 77 rows) and one copy serves both directions, none where the
// file's type is the one computed in.
const packedRows = 128

// fewRows is the most rows that the kernel for few rows takes (k_few.h).
const fewRows = 4

// few is a product of few rows: it takes the time of reading the weight once.
func (b *backend) few(op string, p product, rows int) error {
	src, err := b.operand(op, p.src, kernel.F32, C.EZ_SLOT_SRC)
	if err != nil {
		return err
	}
	bias, err := b.operand(op, p.bias, kernel.F32, C.EZ_SLOT_BIAS)
	if err != nil {
		return err
	}
	a := &b.args
	a.t = [10]C.ez_tensor{tensorOf(p.dst), {p: src}, tensorOf(p.w), {p: bias}, tensorOf(p.add)}
	a.n[0], a.n[1], a.n[2] = C.long(rows), C.long(p.k), C.long(p.n)
	a.f[0] = C.float(p.alpha)
	s := C.ez_call(C.EZ_K_few_rows, a)
	runtime.KeepAlive(p)
	if s != 0 {
		return failure(op, s)
	}
	return nil
}

// extras says whether the optional inputs of a product fit: a bias of n elements, an addend like the result.
func extras(dst, bias, add *kernel.Tensor, n int) bool {
	return (bias == nil || usable(bias) && bias.Len() == n) && (add == nil || same(dst, add))
}

func (b *backend) product(op string, p product) error {
	if err := need(op, usable(p.dst, p.src, p.w) && extras(p.dst, p.bias, p.add, p.n)); err != nil {
		return err
	}
	rows := p.dst.Len() / max(p.n, 1)
	if err := need(op, p.dst.Len() == rows*p.n && p.src.Len() == rows*p.k && p.w.Len() == p.k*p.n); err != nil || p.dst.Len() == 0 {
		return err
	}
	if p.transposed && rows <= fewRows {
		return b.few(op, p, rows)
	}
	dt := b.computeType(p.src)
	if b.ours(dt) {
		return b.multiply(op, multiplication{dst: p.dst, src: p.src, w: p.w, bias: p.bias, add: p.add, batch: 1, height: 1, width: rows, k: p.k,
			oh: 1, ow: rows, n: p.n, kh: 1, kw: 1, conv: kernel.Conv{Stride: 1}, grad: !p.transposed, alpha: p.alpha})
	}
	r, err := b.resultOf(op, p.dst, dt)
	if err != nil {
		return err
	}
	m := C.ez_matmul{m: C.long(rows), k: C.long(p.k), n: C.long(p.n), dt: C.long(dt), dst_dt: C.long(r.dt), add: addend(r, p.add), alpha: C.float(p.alpha)}
	m.weights_t, m.packed, m.bias = flag(p.transposed), flag(p.w.Frozen && rows < packedRows), flag(p.bias != nil)
	prim, err := b.productPrim(op, &m, r, p.add)
	if err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_SRC], err = b.operand(op, p.src, dt, C.EZ_SLOT_SRC); err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_WEIGHTS], err = b.weights(op, prim, p.w, dt); err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_BIAS], err = b.operand(op, p.bias, kernel.F32, C.EZ_SLOT_BIAS); err != nil {
		return err
	}
	b.slots[C.EZ_ARG_ADD], b.slots[C.EZ_ARG_DST] = address(p.add), r.p
	if err := b.run(op, prim, p.src, p.w, p.bias, p.add, p.dst); err != nil {
		return err
	}
	return b.store(op, r)
}

// productPrim finds the primitive of m. Where an addend cannot be an operand of its own it is copied into the result
// and summed there.
func (b *backend) productPrim(op string, m *C.ez_matmul, r result, add *kernel.Tensor) (*C.ez_prim, error) {
	if m.add == C.EZ_ADD_OTHER {
		m.add_dt = C.long(add.DType)
		if p, err := b.matmul(op, *m); err == nil {
			return p, nil
		}
		m.add, m.add_dt = C.EZ_ADD_IN_PLACE, 0
		if err := b.convertTo(op, r.p, r.dt, add); err != nil {
			return nil, err
		}
	}
	return b.matmul(op, *m)
}

func flag(v bool) C.long {
	if v {
		return 1
	}
	return 0
}

// weightDims are the [out, in] of a Linear's weight, which may be a 1x1 convolution's.
func weightDims(w *kernel.Tensor) (out, in int) {
	if w == nil || len(w.Shape) == 0 || w.Shape[0] == 0 {
		return 0, 0
	}
	return w.Shape[0], w.Len() / w.Shape[0]
}

func (b *backend) Linear(y, x, w, bias, add *kernel.Tensor, alpha float32) error {
	o, i := weightDims(w)
	return b.product("linear", product{dst: y, src: x, w: w, bias: bias, add: add, k: i, n: o, transposed: true, alpha: alpha})
}

func (b *backend) LinearGradInput(dx, dy, w, add *kernel.Tensor, alpha float32) error {
	o, i := weightDims(w)
	return b.product("linear gradient", product{dst: dx, src: dy, w: w, add: add, k: o, n: i, alpha: alpha})
}

func (b *backend) LinearGradWeight(dw, x, dy *kernel.Tensor, alpha float32) error {
	const op = "linear weight gradient"
	o, i := weightDims(dw)
	if err := need(op, f32(dw) && usable(x, dy)); err != nil {
		return err
	}
	rows := x.Len() / max(i, 1)
	if err := need(op, x.Len() == rows*i && dy.Len() == rows*o && rows > 0); err != nil {
		return err
	}
	dt := b.computeType(x, dy)
	m := C.ez_matmul{m: C.long(o), k: C.long(rows), n: C.long(i), src_t: 1, dt: C.long(dt), dst_dt: C.EZ_F32, alpha: C.float(alpha)}
	prim, err := b.matmul(op, m)
	if err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_SRC], err = b.operand(op, dy, dt, C.EZ_SLOT_SRC); err != nil {
		return err
	}
	if b.slots[C.EZ_ARG_WEIGHTS], err = b.operand(op, x, dt, C.EZ_SLOT_PLAIN); err != nil {
		return err
	}
	b.slots[C.EZ_ARG_DST] = address(dw)
	return b.run(op, prim, x, dy, dw)
}

func (b *backend) SumRows(out, x *kernel.Tensor) error {
	if err := need("row sums", f32(out) && usable(x) && out.Len() == x.Channels()); err != nil {
		return err
	}
	return b.call("row sums", C.EZ_K_col_sums, tensors{out, x}, dims{1, x.Rows(), x.Channels()})
}
