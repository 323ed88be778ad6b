package sample

import (
	"errors"

	"easel/engine/graph"
	"easel/engine/model"
)

// The first number of a network's key says which it is; the others are the shape of its input.
const (
	isText = iota
	isUNet
	isDecoder
	isEncoder
	isFeatures
)

// function returns the network of a key, built at first need.
func (r *Renderer) function(key [5]int, build func(g *graph.Graph) (in []*graph.Node, out *graph.Node)) (*graph.Function, error) {
	if f := r.networks[key]; f != nil {
		return f, nil
	}
	g := graph.New()
	in, out := build(g)
	f, err := graph.NewFunction(g, r.Backend, in, out, r.Options)
	if err != nil {
		return nil, err
	}
	if r.networks == nil {
		r.networks = map[[5]int]*graph.Function{}
	}
	r.networks[key] = f
	return f, nil
}

func (r *Renderer) text(prompts int) (*graph.Function, error) {
	return r.function([5]int{isText, prompts}, func(g *graph.Graph) ([]*graph.Node, *graph.Node) {
		ids := g.Indices("ids", prompts, model.Tokens)
		return []*graph.Node{ids}, r.Model.BuildText(g, r.Adapter, ids, 1)
	})
}

func (r *Renderer) unet(x, context []int) (*graph.Function, error) {
	return r.function([5]int{isUNet, x[0], x[1], x[2], x[3]}, func(g *graph.Graph) ([]*graph.Node, *graph.Node) {
		in := []*graph.Node{g.Input("x", x...), g.Input("t", x[0]), g.Input("context", context...)}
		return in, r.Model.BuildUNet(g, r.Adapter, in[0], in[1], in[2])
	})
}

func (r *Renderer) decoder(x []int) (*graph.Function, error) {
	return r.function([5]int{isDecoder, 1, x[1], x[2], x[3]}, func(g *graph.Graph) ([]*graph.Node, *graph.Node) {
		z := g.Input("z", 1, x[1], x[2], x[3])
		return []*graph.Node{z}, r.Model.BuildDecoder(g, z)
	})
}

// Close frees the networks and lets go of the weights they hold. They are built anew when they are needed again.
func (r *Renderer) Close() error {
	var errs []error
	for _, n := range r.networks {
		errs = append(errs, n.Close())
	}
	r.networks = nil
	return errors.Join(errs...)
}
