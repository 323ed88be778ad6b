package train

import (
	"context"

	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model"
	"easel/engine/optim"
)

// stepGraph is the compiled graph of a step for one shape of batch: from x_t, t and the prompt to the loss and the
// gradients of the method's parameters.
type stepGraph struct {
	vm        *graph.VM
	x, t      *graph.Node
	text      *graph.Node // context, or ids where the text encoder is trained
	target    *graph.Node
	weight    *graph.Node
	c         *graph.Node // nil where the loss has no parameter
	loss      *graph.Node
	gradients []*graph.Node // of the trainer's parameters, in order
}

// inputs are the values of one run.
type inputs struct {
	x, target    *kernel.Tensor // [batch, h, w, c]
	timesteps    *kernel.Tensor // [batch]
	weight       *kernel.Tensor // [batch], or of x's shape where the loss is masked
	c            *kernel.Tensor // [batch]; nil where the loss has no parameter
	context, ids *kernel.Tensor
}

// graph returns the graph for a shape [batch, h, w, c], compiled at first need.
func (t *Trainer) graph(shape [4]int) (*stepGraph, error) {
	if s := t.graphs[shape]; s != nil {
		t.last = s
		return s, nil
	}
	g, s := t.build(shape)
	t.collectParams()
	var leaves []*graph.Node
	for _, p := range t.params {
		leaves = append(leaves, g.Leaf(p.Name))
	}
	s.gradients = g.Gradients(s.loss, leaves...)
	var err error
	if s.vm, err = graph.Compile(g, t.Backend, append([]*graph.Node{s.loss}, s.gradients...), t.Options); err != nil {
		return nil, err
	}
	t.graphs[shape], t.last = s, s
	return s, nil
}

// build adds network and loss for a shape.
func (t *Trainer) build(shape [4]int) (*graph.Graph, *stepGraph) {
	g := graph.New()
	s := &stepGraph{
		x: g.Input("x_t", shape[:]...), t: g.Input("t", shape[0]),
		target: g.Input("target", shape[:]...),
	}
	context := t.promptNode(g, s, shape[0])
	pred := t.Model.BuildUNet(g, t.Tuning, s.x, s.t, context)
	s.loss = t.Loss.node(g, s, pred, shape)
	return g, s
}

// promptNode is the context: an input, or the text encoder's output where that is trained.
func (t *Trainer) promptNode(g *graph.Graph, s *stepGraph, size int) *graph.Node {
	if !t.Tuning.TrainsText() {
		s.text = g.Input("context", size, model.Tokens, t.Model.UNet.CrossAttentionDim)
		return s.text
	}
	s.text = g.Indices("ids", size, model.Tokens)
	return t.Model.BuildText(g, t.Tuning, s.text, 1)
}

// collectParams lists the method's parameters once the first graph has been built.
func (t *Trainer) collectParams() {
	if t.params != nil {
		return
	}
	for _, p := range t.Tuning.Parameters() {
		t.params = append(t.params, optim.Param{Name: p.Name, Value: p.Value, Rate: float32(p.Rate)})
	}
}

// run computes loss and gradients.
func (s *stepGraph) run(ctx context.Context, in inputs) (float64, error) {
	text := in.context
	if text == nil {
		text = in.ids
	}
	for _, l := range []struct {
		n *graph.Node
		t *kernel.Tensor
	}{{s.x, in.x}, {s.t, in.timesteps}, {s.text, text}, {s.target, in.target}, {s.weight, in.weight}, {s.c, in.c}} {
		if err := s.vm.Let(l.n, l.t); err != nil {
			return 0, err
		}
	}
	if err := s.vm.Run(ctx); err != nil {
		return 0, err
	}
	return float64(s.vm.Value(s.loss).F32()[0]), nil
}

// bindGradients points the parameters to the gradients of the last run.
func (s *stepGraph) bindGradients(params []optim.Param) {
	for i := range params {
		params[i].Grad = s.vm.Value(s.gradients[i])
	}
}
