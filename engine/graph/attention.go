package graph

import (
	"fmt"

	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// Attention is softmax(q·kᵀ/√d)·v for each of heads (Vaswani et al., arXiv 1706.03762): q [batch, ..., heads·d],
// k and v [batch, ..., heads·d]; middle dimensions are tokens. With causal set a query sees no later key.
func (g *Graph) Attention(q, k, v *Node, heads int, causal bool) *Node {
	return g.add(attention{heads, causal}, q, k, v)
}

type attention struct {
	heads  int
	causal bool
}

func (a attention) name() string     { return "attention" }
func (a attention) exactSides() bool { return true }

func (a attention) shape(in []tensor.Shape) (tensor.Shape, error) {
	q, k, v := in[0], in[1], in[2]
	c := q[len(q)-1]
	if len(q) < 3 || a.heads < 1 || c%a.heads != 0 {
		return nil, fmt.Errorf("%v cannot be split into %d heads", q, a.heads)
	}
	if !k.Eq(v) || k[0] != q[0] || k[len(k)-1] != c {
		return nil, fmt.Errorf("queries %v, keys %v and values %v do not fit", q, k, v)
	}
	return q, nil
}

// sides: the logarithm of each score row's sum, for the backward pass.
func (a attention) sides(in []tensor.Shape) []tensor.Shape {
	return []tensor.Shape{{in[0][0], a.heads, tokens(in[0])}}
}

func tokens(s tensor.Shape) int { return kernel.Len(s[1 : len(s)-1]) }

func (a attention) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.Attention(sequence(out[0]), out[1], sequence(in[0]), sequence(in[1]), sequence(in[2]), a.heads, a.causal)
}

// sequence views [batch, ..., c] as [batch, tokens, c].
func sequence(t *kernel.Tensor) *kernel.Tensor {
	if len(t.Shape) == 3 {
		return t
	}
	return &kernel.Tensor{Shape: []int{t.Shape[0], tokens(t.Shape), t.Channels()}, DType: t.DType, Data: t.Data}
}

func (a attention) flops(in []tensor.Shape, out tensor.Shape) float64 {
	return 4 * float64(kernel.Len(out)) * float64(tokens(in[1]))
}

func (a attention) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	dq := g.add(attentionGrad(a), in[0], in[1], in[2], out, g.side(out, 0), dy)
	return []*Node{dq, g.side(dq, 0), g.side(dq, 1)}
}

type attentionGrad attention

func (a attentionGrad) name() string                                  { return "attention grad" }
func (a attentionGrad) exactSides() bool                              { return false }
func (a attentionGrad) shape(in []tensor.Shape) (tensor.Shape, error) { return in[0], nil }
func (a attentionGrad) sides(in []tensor.Shape) []tensor.Shape        { return []tensor.Shape{in[1], in[2]} }
func (a attentionGrad) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	return b.AttentionGrad(sequence(out[0]), sequence(out[1]), sequence(out[2]),
		sequence(in[0]), sequence(in[1]), sequence(in[2]), sequence(in[3]), in[4], sequence(in[5]), a.heads, a.causal)
}
func (a attentionGrad) flops(in []tensor.Shape, out tensor.Shape) float64 {
	return 10 * float64(kernel.Len(out)) * float64(tokens(in[1]))
}
func (a attentionGrad) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }
