package sample

import (
	"context"
	"errors"

	"easel/engine/graph"
	"easel/engine/kernel"
)

// network is a compiled graph with one output.
type network struct {
	vm  *graph.VM
	in  []*graph.Node
	out *graph.Node
}

// run returns a copy of the output as float32.
func (n *network) run(ctx context.Context, in ...*kernel.Tensor) (*kernel.Tensor, error) {
	for i, t := range in {
		if err := n.vm.Let(n.in[i], t); err != nil {
			return nil, err
		}
	}
	if err := n.vm.Run(ctx); err != nil {
		return nil, err
	}
	return n.vm.Value(n.out).Convert(kernel.F32), nil
}

// The first number of a network's key says which it is; the others are the shape of its input.
const (
	isText = iota
	isUNet
	isDecoder
)

// compile returns the network of a key, built at first need.
func (r *Renderer) compile(key [5]int, build func(g *graph.Graph) (in []*graph.Node, out *graph.Node)) (*network, error) {
	if n := r.networks[key]; n != nil {
		return n, nil
	}
	g := graph.New()
	n := &network{}
	n.in, n.out = build(g)
	var err error
	if n.vm, err = graph.Compile(g, r.Backend, []*graph.Node{n.out}, r.Options); err != nil {
		return nil, err
	}
	if r.networks == nil {
		r.networks = map[[5]int]*network{}
	}
	r.networks[key] = n
	return n, nil
}

func (r *Renderer) text(prompts int) (*network, error) {
	return r.compile([5]int{isText, prompts}, func(g *graph.Graph) ([]*graph.Node, *graph.Node) {
		ids := g.Indices("ids", prompts, tokens)
		return []*graph.Node{ids}, r.Model.BuildText(g, r.Adapter, ids, 1)
	})
}

func (r *Renderer) unet(x, context []int) (*network, error) {
	return r.compile([5]int{isUNet, x[0], x[1], x[2], x[3]}, func(g *graph.Graph) ([]*graph.Node, *graph.Node) {
		in := []*graph.Node{g.Input("x", x...), g.Input("t", x[0]), g.Input("context", context...)}
		return in, r.Model.BuildUNet(g, r.Adapter, in[0], in[1], in[2])
	})
}

func (r *Renderer) decoder(x []int) (*network, error) {
	return r.compile([5]int{isDecoder, 1, x[1], x[2], x[3]}, func(g *graph.Graph) ([]*graph.Node, *graph.Node) {
		z := g.Input("z", 1, x[1], x[2], x[3])
		return []*graph.Node{z}, r.Model.BuildDecoder(g, z)
	})
}

// Close frees the networks' memory.
func (r *Renderer) Close() error {
	var errs []error
	for _, n := range r.networks {
		errs = append(errs, n.vm.Close())
	}
	return errors.Join(errs...)
}
