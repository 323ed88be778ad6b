package graph

import (
	"fmt"

	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// Loss is the scalar mean of weight·loss(pred - target); see kernel.Backend.Loss. weight is nil, [batch] or of pred's
// shape. c [batch] is the Huber parameter, nil for MSE.
func (g *Graph) Loss(pred, target, weight, c *Node, kind kernel.LossKind) *Node {
	in := []*Node{pred, target}
	l := loss{kind: kind}
	if weight != nil {
		l.weighted = true
		in = append(in, weight)
	}
	if c != nil {
		l.hasC = true
		in = append(in, c)
	}
	return g.add(l, in...)
}

type loss struct {
	kind           kernel.LossKind
	weighted, hasC bool
}

func (l loss) name() string { return "loss" }
func (l loss) exactResult() {}
func (l loss) shape(in []tensor.Shape) (tensor.Shape, error) {
	if !in[0].Eq(in[1]) {
		return nil, fmt.Errorf("prediction %v and target %v differ", in[0], in[1])
	}
	return tensor.ScalarShape(), nil
}
func (l loss) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	weight, c := l.optional(in[2:])
	return b.Loss(out[0], in[0], in[1], weight, c, l.kind)
}

func (l loss) optional(in []*kernel.Tensor) (weight, c *kernel.Tensor) {
	if l.weighted {
		weight, in = in[0], in[1:]
	}
	if l.hasC {
		c = in[0]
	}
	return weight, c
}

func (l loss) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	if dy != g.seed {
		g.Fail("the loss must be what is differentiated, nothing computed from it")
		return nil
	}
	grads := make([]*Node, len(in))
	for i := range want[1:] {
		if want[i+1] {
			g.Fail("a target or weight cannot depend on a parameter")
		}
	}
	grads[0] = g.add(lossGrad(l), in...)
	return grads
}

type lossGrad loss

func (l lossGrad) name() string                                  { return "loss grad" }
func (l lossGrad) shape(in []tensor.Shape) (tensor.Shape, error) { return in[0], nil }
func (l lossGrad) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	weight, c := loss(l).optional(in[2:])
	return b.LossGrad(out[0], in[0], in[1], weight, c, l.kind)
}
func (l lossGrad) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }
