package hypernetwork

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model"
)

// activations are A1111's by name, but for "linear", which is none.
var activations = map[string]kernel.Activation{
	"relu": kernel.ReLU, "leakyrelu": kernel.LeakyReLU, "elu": kernel.ELU, "swish": kernel.HardSwish, "hardswish": kernel.HardSwish,
	"tanh": kernel.Tanh, "sigmoid": kernel.Sigmoid, "softsign": kernel.Softsign, "mish": kernel.Mish, "gelu": kernel.GELU, "silu": kernel.SiLU,
}

// linear is the name of no activation.
const linear = "linear"

func activationNames() []string {
	return append([]string{linear}, slices.Sorted(maps.Keys(activations))...)
}

// mlp is one network, with the shares that training leaves out behind its layers; nil is none.
type mlp struct {
	format.HypernetworkModule
	dropout []float64
}

// normEps is torch's epsilon of a layer norm.
const normEps = 1e-5

// leaf makes or finds the leaf of a tensor.
type leaf func(g *graph.Graph, name string, t *kernel.Tensor) *graph.Node

// apply adds weight·layers(x) to x. mask gives a layer's mask of dropout.
func (m *mlp) apply(g *graph.Graph, x *graph.Node, leaf leaf, weight float32, mask func(layer int) graph.Mask) *graph.Node {
	h := x
	for i, l := range m.Layers {
		name := m.layerName(i)
		var bias *graph.Node
		if l.Bias != nil {
			bias = leaf(g, name+".bias", l.Bias)
		}
		h = g.Linear(h, leaf(g, name+".weight", l.Weight), bias, 1)
		if f, ok := activations[l.Activation]; ok {
			h = g.Activate(h, f)
		}
		if l.Gamma != nil {
			h = g.LayerNorm(h, leaf(g, name+".norm.weight", l.Gamma), leaf(g, name+".norm.bias", l.Beta), normEps)
		}
		if m.dropout != nil && m.dropout[i] > 0 {
			h = g.Dropout(h, mask(i))
		}
	}
	if weight != 1 {
		h = g.Scale(h, weight)
	}
	return g.Add(x, h)
}

func (m *mlp) layerName(i int) string { return m.Name() + "." + strconv.Itoa(i) }

// side says whether a layer makes keys, "k", or values, "v", of a context; empty for other layers. It is so in the
// self-attention too, whose context is the picture.
func side(l model.Layer) string {
	if l.Part != model.UNet {
		return ""
	}
	for _, s := range []string{"k", "v"} {
		if strings.HasSuffix(l.Module, ".attn1.to_"+s) || strings.HasSuffix(l.Module, ".attn2.to_"+s) {
			return s
		}
	}
	return ""
}

// nameOf is the name of the network that belongs to a layer: "768.k".
func nameOf(l model.Layer) string {
	return format.HypernetworkModule{Width: l.Shape[1], Side: side(l)}.Name()
}

// widthsOf are the widths of the contexts that a model's attention has, the widest first.
func widthsOf(layers []model.Layer) []int {
	var widths []int
	for _, l := range layers {
		if side(l) == "k" && !slices.Contains(widths, l.Shape[1]) {
			widths = append(widths, l.Shape[1])
		}
	}
	slices.Sort(widths)
	slices.Reverse(widths)
	return widths
}

// changed keeps the contexts that were changed in the graph at hand: the prompt's is the same one in all layers.
type changed struct {
	graph *graph.Graph
	made  map[change]*graph.Node
}

type change struct {
	x *graph.Node
	m *mlp
}

func (c *changed) once(g *graph.Graph, x *graph.Node, m *mlp, make func() *graph.Node) *graph.Node {
	if c.graph != g {
		c.graph, c.made = g, map[change]*graph.Node{}
	}
	at := change{x, m}
	if c.made[at] == nil {
		c.made[at] = make()
	}
	return c.made[at]
}
