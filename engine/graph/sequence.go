package graph

import (
	"fmt"

	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// JoinTokens puts the tokens of b behind those of a: [batch, ..., c] each to [batch, tokens, c]. Nothing that is trained
// joins tokens, so it has no gradient.
func (g *Graph) JoinTokens(a, b *Node) *Node { return g.add(joinTokens{}, a, b) }

type joinTokens struct{}

func (joinTokens) name() string { return "join tokens" }

func (joinTokens) shape(in []tensor.Shape) (tensor.Shape, error) {
	a, b := in[0], in[1]
	if len(a) < 3 || len(b) < 3 || a[0] != b[0] || a[len(a)-1] != b[len(b)-1] {
		return nil, fmt.Errorf("%v and %v are no tokens of one width", a, b)
	}
	return tensor.Shape{a[0], tokens(a) + tokens(b), a[len(a)-1]}, nil
}

func (joinTokens) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	n, first := out[0].Shape[1], tokens(in[0].Shape)
	for batch := range out[0].Shape[0] {
		for i, from := range []int{0, first} {
			count := tokens(in[i].Shape)
			if err := b.Convert(rows(out[0], batch*n+from, count), rows(in[i], batch*count, count)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (joinTokens) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node {
	g.Fail("joined tokens have no gradient")
	return nil
}

// rows views n rows of a channels-last tensor as [1, n, c].
func rows(t *kernel.Tensor, from, n int) *kernel.Tensor {
	c := t.Channels()
	size := c * t.DType.Size()
	return &kernel.Tensor{Shape: []int{1, n, c}, DType: t.DType, Data: t.Data[from*size : (from+n)*size : (from+n)*size]}
}

// CachedAttention is causal self-attention for texts that grow by a token at a time. Of each of s texts there are n new
// tokens, q, k and v [1, s·n, c]; keys and values of those before lie in the caches [s, capacity, c], which are Inputs:
// the operator writes the new ones behind them and then attends to all. The first element of position [...], int32, is
// how many tokens lie there already; more than one new token is possible only where it is 0.
func (g *Graph) CachedAttention(q, k, v, keys, values, position *Node, heads int) *Node {
	return g.add(cachedAttention{heads}, q, k, v, keys, values, position)
}

type cachedAttention struct{ heads int }

func (a cachedAttention) name() string     { return "cached attention" }
func (a cachedAttention) exactSides() bool { return true }

func (a cachedAttention) shape(in []tensor.Shape) (tensor.Shape, error) {
	q, k, v, keys, values := in[0], in[1], in[2], in[3], in[4]
	c := q[len(q)-1]
	switch {
	case len(q) != 3 || a.heads < 1 || c%a.heads != 0:
		return nil, fmt.Errorf("%v cannot be split into %d heads", q, a.heads)
	case !k.Eq(q) || !v.Eq(q) || len(keys) != 3 || !values.Eq(keys) || keys[2] != c || kernel.Len(q)/c%keys[0] != 0:
		return nil, fmt.Errorf("queries %v, keys %v, values %v and caches %v, %v do not fit", q, k, v, keys, values)
	}
	return q, nil
}

// sides: the logarithms that Attention leaves, of which nobody makes use.
func (a cachedAttention) sides(in []tensor.Shape) []tensor.Shape {
	return []tensor.Shape{{1, a.heads, tokens(in[0])}}
}

func (a cachedAttention) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	q, keys, values := in[0], in[3], in[4]
	texts, capacity := keys.Shape[0], keys.Shape[1]
	n, at := q.Rows()/texts, int(in[5].I32()[0])
	if at < 0 || at+n > capacity || n > 1 && at > 0 {
		return fmt.Errorf("%d new tokens behind %d do not fit into a cache of %d", n, at, capacity)
	}
	for text := range texts {
		from := text * capacity
		for i, cache := range []*kernel.Tensor{keys, values} {
			if err := b.Convert(rows(cache, from+at, n), rows(in[1+i], text*n, n)); err != nil {
				return err
			}
		}
		lse := &kernel.Tensor{Shape: []int{1, a.heads, n}, DType: kernel.F32, Data: out[1].Data[4*text*a.heads*n:]}
		err := b.Attention(rows(out[0], text*n, n), lse, rows(q, text*n, n), rows(keys, from, at+n), rows(values, from, at+n), a.heads, n > 1)
		if err != nil {
			return err
		}
	}
	return nil
}

func (a cachedAttention) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node {
	g.Fail("attention to a cache has no gradient")
	return nil
}
