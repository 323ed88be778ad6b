package lora

import (
	"math"

	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model"
)

// resize turns the output y of a low-rank layer beside l into a DoRA's (Liu et al., arXiv 2402.09353): the weight is
// magnitude · (W + scale·up·down)/‖W + scale·up·down‖, where the norm is of the weights of one output and no gradient
// flows through it (section 4.3 there). The bias is not a part of the weight and stays.
func resize(g *graph.Graph, l model.Layer, y, down, up, own, magnitude *graph.Node, scale float32) *graph.Node {
	name := string(l.Part) + "." + l.Module
	norms := g.RowNorms(g.Leaf(name+".weight"), own, down, up, scale)
	return g.Rescale(y, magnitude, norms, g.Leaf(name+".bias"))
}

// norms are the norms of the rows of a weight. Those of an outline, which has no values, are zero.
func norms(w *kernel.Tensor) *kernel.Tensor {
	all := kernel.New(kernel.F32, w.Shape[0])
	eachRow(w, func(o int, row []float32) { all.F32()[o] = float32(math.Sqrt(dot(row, row))) })
	return all
}

// eachRow visits the weights of each output.
func eachRow(w *kernel.Tensor, visit func(o int, row []float32)) {
	if len(w.Data) == 0 {
		return
	}
	n := kernel.Len(w.Shape[1:])
	row, size := make([]float32, n), n*w.DType.Size()
	for o := range w.Shape[0] {
		(&kernel.Tensor{Shape: []int{n}, DType: w.DType, Data: w.Data[o*size : (o+1)*size]}).ReadF32(row)
		visit(o, row)
	}
	w.LetGo()
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}

// resized are the squares of the norms of a DoRA's weight change and of the weight.
func (l *layer) resized() (change, all float64) {
	r, scale := l.rank(), float64(l.scale())
	d, u, m := l.down.F32(), l.up.F32(), l.magnitude.F32()
	eachRow(l.Weight, func(o int, row []float32) {
		sum := make([]float64, len(row))
		for i, w := range row {
			sum[i] = float64(w)
		}
		for k := range r {
			by := scale * float64(u[o*r+k])
			for i, v := range d[k*len(row) : (k+1)*len(row)] {
				sum[i] += by * float64(v)
			}
		}
		square := 0.0
		for _, v := range sum {
			square += v * v
		}
		by := float64(m[o]) / math.Sqrt(square)
		for i, w := range row {
			change += (by*sum[i] - float64(w)) * (by*sum[i] - float64(w))
			all += float64(w) * float64(w)
		}
	})
	return change, all
}
