package graph

import (
	"fmt"
	"math"

	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// RowNorms are ‖w + scale·up·down‖, a number for each row of w [out, in] or [out, in, kh, kw], found without making the
// sum. own are the rows' norms of w alone [out]; down is [r, in] or [r, in, kh, kw], up [out, r] or [out, r, 1, 1]. No
// gradient flows through the result.
func (g *Graph) RowNorms(w, own, down, up *Node, scale float32) *Node {
	return g.add(rowNorms{scale}, w, own, down, up)
}

type rowNorms struct{ scale float32 }

func (rowNorms) name() string { return "row norms" }
func (rowNorms) exactResult() {}
func (rowNorms) detached()    {}
func (rowNorms) shape(in []tensor.Shape) (tensor.Shape, error) {
	w, own, down, up := in[0], in[1], in[2], in[3]
	if kernel.Len(own) != w[0] || kernel.Len(down[1:]) != kernel.Len(w[1:]) || up[0] != w[0] || kernel.Len(up) != w[0]*down[0] {
		return nil, fmt.Errorf("%v, %v and %v do not fit %v", own, down, up, w)
	}
	return tensor.Shape{w[0]}, nil
}

// run expands the square: ‖w‖² + 2·scale·w·(up·down) + scale²·‖up·down‖².
func (n rowNorms) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	w, down := rowsOf(in[0]), rowsOf(in[2])
	r, rows := down.Shape[0], w.Shape[0]
	cross, gram := kernel.New(kernel.F32, r, rows), kernel.New(kernel.F32, r, r)
	if err := b.Linear(cross, down, w, nil, nil, 1); err != nil {
		return err
	}
	if err := b.Linear(gram, down, down, nil, nil, 1); err != nil {
		return err
	}
	own, up, c, g, s := in[1].F32(), in[3].F32(), cross.F32(), gram.F32(), float64(n.scale)
	for o, norm := 0, out[0].F32(); o < rows; o++ {
		u := up[o*r : (o+1)*r]
		sum := float64(own[o]) * float64(own[o])
		for a, ua := range u {
			with := 2 * float64(c[a*rows+o])
			for b, ub := range u {
				with += s * float64(g[a*r+b]) * float64(ub)
			}
			sum += s * float64(ua) * with
		}
		norm[o] = float32(math.Sqrt(max(sum, 0)))
	}
	return nil
}

// rowsOf views a weight as a matrix, [out, the rest].
func rowsOf(t *kernel.Tensor) *kernel.Tensor {
	return &kernel.Tensor{Shape: []int{t.Shape[0], kernel.Len(t.Shape[1:])}, DType: t.DType, Data: t.Data}
}

func (rowNorms) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }
