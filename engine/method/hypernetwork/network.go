package hypernetwork

import (
	"math"

	"easel/engine/graph"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
	"easel/engine/method"
)

// network outputs a layer's numbers, those of down first, from the layer's embedding e:
// fc3(silu(fc2(silu(fc1(e))))).
type network struct {
	embedding  *kernel.Tensor // [layers, its size]
	w1, w2, w3 *kernel.Tensor // [out, in]
	b1, b2, b3 *kernel.Tensor
}

// newNetwork draws first values: embeddings N(0,1), weights N(0, 1/in) in front, the last layer so that all downs begin
// nearly alike, uniform within ±1/√width, and all ups as 0, which changes nothing.
func newNetwork(seed uint64, layers, embedding, hidden, downs, ups, width int) *network {
	normal := func(name string, deviation float64, shape ...int) *kernel.Tensor {
		t := kernel.New(kernel.F32, shape...)
		rng.Normal(t.F32(), seed, stream(name), rng.Init)
		for i := range t.F32() {
			t.F32()[i] *= float32(deviation)
		}
		return t
	}
	n := &network{
		embedding: normal("layer_embedding", 1, layers, embedding),
		w1:        normal("fc1", 1/math.Sqrt(float64(embedding)), hidden, embedding),
		w2:        normal("fc2", 1/math.Sqrt(float64(hidden)), hidden, hidden),
		w3:        normal("fc3", 1e-3, downs+ups, hidden), // "advice from Nataniel Ruiz", KohakuBlueleaf/HyperKohaku
		b1:        kernel.New(kernel.F32, hidden),
		b2:        kernel.New(kernel.F32, hidden),
		b3:        kernel.New(kernel.F32, downs+ups),
	}
	clear(n.w3.F32()[downs*hidden:])
	for i := range downs {
		n.b3.F32()[i] = float32((2*rng.Float64(seed, stream("fc3.bias"), rng.Init, uint64(i)) - 1) / math.Sqrt(float64(width)))
	}
	return n
}

func (n *network) parameters() []method.Parameter {
	return []method.Parameter{
		{Name: "layer_embedding", Value: n.embedding, Rate: 1},
		{Name: "fc1.weight", Value: n.w1, Rate: 1}, {Name: "fc1.bias", Value: n.b1, Rate: 1},
		{Name: "fc2.weight", Value: n.w2, Rate: 1}, {Name: "fc2.bias", Value: n.b2, Rate: 1},
		{Name: "fc3.weight", Value: n.w3, Rate: 1}, {Name: "fc3.bias", Value: n.b3, Rate: 1},
	}
}

// build is the numbers of all layers, [layers, numbers].
func (n *network) build(g *graph.Graph) *graph.Node {
	linear := func(x *graph.Node, name string, w, b *kernel.Tensor) *graph.Node {
		return g.Linear(x, parameter(g, name+".weight", w), parameter(g, name+".bias", b), 1)
	}
	h := parameter(g, "layer_embedding", n.embedding)
	h = g.Activate(linear(h, "fc1", n.w1, n.b1), kernel.SiLU)
	h = g.Activate(linear(h, "fc2", n.w2, n.b2), kernel.SiLU)
	return linear(h, "fc3", n.w3, n.b3)
}

// evaluate is the same outside of a graph: a row for each layer.
func (n *network) evaluate() [][]float32 {
	layers, size := n.embedding.Shape[0], n.embedding.Shape[1]
	rows := make([][]float32, layers)
	for l := range rows {
		h := dense(n.embedding.F32()[l*size:(l+1)*size], n.w1, n.b1)
		h = dense(silu(h), n.w2, n.b2)
		rows[l] = dense(silu(h), n.w3, n.b3)
	}
	return rows
}

// dense is w·x + b.
func dense(x []float32, w, b *kernel.Tensor) []float32 {
	y := multiply(w.F32(), x, w.Shape[0], len(x), 1)
	for i, v := range b.F32() {
		y[i] += v
	}
	return y
}

func silu(x []float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(float64(v) / (1 + math.Exp(-float64(v))))
	}
	return y
}
