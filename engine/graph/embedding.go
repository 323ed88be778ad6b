package graph

import (
	"fmt"

	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// TimestepEmbedding is the sinusoid of t [batch]: [batch, dim], cosines first (diffusers get_timestep_embedding with
// flip_sin_to_cos and shift 0).
func (g *Graph) TimestepEmbedding(t *Node, dim int) *Node { return g.add(timestepEmbedding{dim}, t) }

type timestepEmbedding struct{ dim int }

func (e timestepEmbedding) name() string { return "timestep embedding" }
func (e timestepEmbedding) exactResult() {}
func (e timestepEmbedding) shape(in []tensor.Shape) (tensor.Shape, error) {
	if len(in[0]) != 1 || e.dim%2 != 0 {
		return nil, fmt.Errorf("timesteps %v, dimension %d", in[0], e.dim)
	}
	return tensor.Shape{in[0][0], e.dim}, nil
}
func (e timestepEmbedding) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.TimestepEmbedding(out[0], in[0])
}
func (e timestepEmbedding) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node {
	g.Fail("a timestep has no gradient")
	return nil
}

// Embedding looks up rows of table [words, c] by ids [...]: [..., c]. Row 0 has the id first; ids without a row give
// zeros.
func (g *Graph) Embedding(ids, table *Node, first int) *Node {
	return g.add(embedding{first}, ids, table)
}

type embedding struct{ first int }

func (e embedding) name() string { return "embedding" }
func (e embedding) exactResult() {}
func (e embedding) shape(in []tensor.Shape) (tensor.Shape, error) {
	if len(in[1]) != 2 {
		return nil, fmt.Errorf("table %v is no matrix", in[1])
	}
	return append(in[0].Clone(), in[1][1]), nil
}
func (e embedding) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.Embedding(out[0], in[0], in[1], e.first)
}
func (e embedding) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	return []*Node{nil, g.add(embeddingGrad{in[1].Shape(), e.first}, in[0], dy)}
}

type embeddingGrad struct {
	of    tensor.Shape
	first int
}

func (e embeddingGrad) name() string                               { return "embedding grad" }
func (e embeddingGrad) exactResult()                               {}
func (e embeddingGrad) shape([]tensor.Shape) (tensor.Shape, error) { return e.of, nil }
func (e embeddingGrad) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.EmbeddingGrad(out[0], in[0], in[1], e.first)
}
func (e embeddingGrad) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }
