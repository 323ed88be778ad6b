package graph

import (
	"fmt"

	"easel/engine/kernel"

	"gorgonia.org/tensor"
)

// Rescale is scale/norm·(x - about) + about: x [batch, ..., c] with each channel scaled about a value of its own. scale,
// norm and about are [c]; norm and about may be nil, for 1 and 0, and get no gradient.
func (g *Graph) Rescale(x, scale, norm, about *Node) *Node {
	r := rescale{norm != nil, about != nil}
	return g.add(r, r.inputs(x, scale, norm, about)...)
}

type rescale struct{ hasNorm, hasAbout bool }

// inputs appends those of norm and about that there are.
func (r rescale) inputs(first, second, norm, about *Node) []*Node {
	in := []*Node{first, second}
	if r.hasNorm {
		in = append(in, norm)
	}
	if r.hasAbout {
		in = append(in, about)
	}
	return in
}

// optional finds norm and about behind the first two inputs; what is not there is nil.
func optional[T any](r rescale, in []*T) (norm, about *T) {
	in = in[2:]
	if r.hasNorm {
		norm, in = in[0], in[1:]
	}
	if r.hasAbout {
		about = in[0]
	}
	return norm, about
}

func (rescale) name() string  { return "rescale" }
func (rescale) reuses() []int { return []int{0} }
func (rescale) shape(in []tensor.Shape) (tensor.Shape, error) {
	x := in[0]
	for _, v := range in[1:] {
		if len(x) < 2 || len(v) != 1 || v[0] != x[len(x)-1] {
			return nil, fmt.Errorf("%v has no number for each channel of %v", v, x)
		}
	}
	return x, nil
}

// factors are scale/norm and, for Backend.GroupNorm, what is then added to each channel.
func (r rescale) factors(in []*kernel.Tensor) (gamma, beta *kernel.Tensor) {
	norm, about := optional(r, in)
	gamma, beta = in[1].Convert(kernel.F32), kernel.New(kernel.F32, in[1].Len())
	scale := gamma.F32()
	if norm != nil {
		for i, n := range norm.Floats() {
			scale[i] /= n
		}
	}
	if about != nil {
		for i, a := range about.Floats() {
			beta.F32()[i] = a * (1 - scale[i])
		}
	}
	return gamma, beta
}

// run is a group normalisation with given statistics: mean 0 and deviation 1.
func (r rescale) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	gamma, beta := r.factors(in)
	return b.GroupNorm(out[0], in[0], standard(in[0]), gamma, beta, 1, false)
}

// standard are the statistics of one group that leave x as it is.
func standard(x *kernel.Tensor) *kernel.Tensor {
	stats := kernel.New(kernel.F32, x.Shape[0], 1, 2)
	for i := range x.Shape[0] {
		stats.F32()[2*i+1] = 1
	}
	return stats
}

func (r rescale) grad(g *Graph, in []*Node, out, dy *Node, want []bool) []*Node {
	for _, w := range want[2:] {
		if w {
			g.Fail("a rescale's norm or centre cannot depend on a parameter")
			return nil
		}
	}
	grads := make([]*Node, len(in))
	norm, about := optional(r, in)
	if want[0] {
		plain := rescale{hasNorm: r.hasNorm}
		grads[0] = g.add(plain, plain.inputs(dy, in[1], norm, nil)...)
	}
	if want[1] {
		grads[1] = g.add(rescaleGradScale(r), r.inputs(in[0], dy, norm, about)...)
	}
	return grads
}

// rescaleGradScale is d scale = Σ dy·(x - about)/norm over all but the channels.
type rescaleGradScale rescale

func (rescaleGradScale) name() string { return "rescale dw" }
func (rescaleGradScale) exactResult() {}
func (rescaleGradScale) shape(in []tensor.Shape) (tensor.Shape, error) {
	return tensor.Shape{in[0][len(in[0])-1]}, nil
}
func (r rescaleGradScale) run(b kernel.Backend, out, in []*kernel.Tensor) error {
	x, dy := in[0], in[1]
	zero, sum := kernel.New(kernel.F32, x.Channels()), kernel.New(kernel.F32, x.Channels())
	if err := b.GroupNormGradParams(out[0], sum, x, standard(x), zero, zero, dy, 1, false); err != nil {
		return err
	}
	norm, about := optional(rescale(r), in)
	d := out[0].F32()
	if about != nil {
		for i, a := range about.Floats() {
			d[i] -= a * sum.F32()[i]
		}
	}
	if norm != nil {
		for i, n := range norm.Floats() {
			d[i] /= n
		}
	}
	return nil
}
func (rescaleGradScale) grad(g *Graph, _ []*Node, _, _ *Node, _ []bool) []*Node { return once(g) }
