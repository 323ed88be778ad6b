package lora

import (
	"hash/fnv"
	"math"

	"easel/engine/graph"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
	"easel/engine/model"
)

// layer is one inserted pair.
type layer struct {
	model.Layer
	module    string // kohya's name
	down, up  *kernel.Tensor
	alpha     float32
	own       *kernel.Tensor // of a DoRA: ‖W‖ for each output
	magnitude *kernel.Tensor // of a DoRA: what ‖W + scale·up·down‖ becomes for each output; else nil
}

func (l *layer) rank() int { return l.down.Shape[0] }

func (l *layer) scale() float32 { return l.alpha / float32(l.rank()) }

// After implements model.Adapter.
func (t *tuning) After(g *graph.Graph, l model.Layer, x, y *graph.Node) *graph.Node {
	if !t.wants(l) {
		return y
	}
	p := t.layer(l)
	down := parameter(g, p.module+downSuffix, p.down)
	up := parameter(g, p.module+upSuffix, p.up)
	h := inner(g, l, x, down)
	if t.drop.any() {
		h = g.Dropout(h, t.drop.of(p.module))
	}
	y = g.Add(y, g.Linear(h, up, nil, p.scale()))
	if p.magnitude == nil {
		return y
	}
	own := constant(g, p.module+".own", p.own)
	return resize(g, l, y, down, up, own, parameter(g, p.module+magnitudeSuffix, p.magnitude), p.scale())
}

// Names of the trained tensors, as they are in a file.
const (
	downSuffix      = ".lora_down.weight"
	upSuffix        = ".lora_up.weight"
	magnitudeSuffix = ".dora_scale"
)

// inner is what goes through the narrow waist: down·x.
func inner(g *graph.Graph, l model.Layer, x, down *graph.Node) *graph.Node {
	if spatial(l.Shape) {
		return g.Conv2D(x, down, nil, l.Conv)
	}
	return g.Linear(x, down, nil, 1)
}

func spatial(shape []int) bool { return len(shape) == 4 && shape[2]*shape[3] > 1 }

// parameter is the leaf of a trained tensor; a layer that is used twice in a graph has one.
func parameter(g *graph.Graph, name string, t *kernel.Tensor) *graph.Node {
	if n := g.Leaf(name); n != nil {
		return n
	}
	return g.Parameter(name, t)
}

// constant is parameter for a tensor that stays.
func constant(g *graph.Graph, name string, t *kernel.Tensor) *graph.Node {
	if n := g.Leaf(name); n != nil {
		return n
	}
	return g.Constant(name, t)
}

// layer returns the pair beside l, made at first sight: with the values of the file that training begins with, else down
// random and up zero, so that nothing changes at step 0.
func (t *tuning) layer(l model.Layer) *layer {
	name := kohyaName(l)
	if p := t.layers[name]; p != nil {
		return p
	}
	m, begun := t.from.modules[name]
	s := t.ranks.of(l)
	if begun {
		s = size{m.Rank(), m.Alpha}
	}
	up := append([]int{l.Shape[0], s.rank}, l.Shape[2:]...)
	for i := range up[2:] { // convolutions, 1x1 too, keep four dimensions
		up[2+i] = 1
	}
	p := &layer{Layer: l, module: name, alpha: s.alpha,
		down: kernel.New(kernel.F32, append([]int{s.rank}, l.Shape[1:]...)...), up: kernel.New(kernel.F32, up...)}
	if begun {
		copy(p.down.F32(), m.Down.F32())
		copy(p.up.F32(), m.Up.F32())
	} else {
		t.initialise(p)
	}
	if t.dora {
		p.own = norms(l.Weight)
		p.magnitude = p.own.Clone()
		if m.Magnitude != nil {
			copy(p.magnitude.F32(), m.Magnitude.F32())
		}
	}
	t.layers[name] = p
	t.order = append(t.order, p)
	return p
}

// initialise draws down from kaiming_uniform(√5): uniform within ±1/√fan_in. It depends on the name, not on the
// order in which layers are met.
func (t *tuning) initialise(p *layer) {
	bound := 1 / math.Sqrt(float64(kernel.Len(p.down.Shape[1:])))
	stream := int(hash(p.module) >> 1)
	for i, d := 0, p.down.F32(); i < len(d); i++ {
		d[i] = float32((2*rng.Float64(t.seed, stream, rng.Init, uint64(i)) - 1) * bound)
	}
}

func hash(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}
