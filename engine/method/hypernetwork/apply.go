package hypernetwork

import (
	"fmt"
	"math"
	"slices"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model"
)

const opApply = "apply hypernetwork"

// Applied is a file of A1111's at work beside a frozen model, as in sampling.
type Applied struct {
	model.Unchanged
	mlps    map[string]*mlp
	weight  float32
	changed changed
}

// Reads implements method.Method. What a generator outputs is a file of LoRA's.
func (hypernetwork) Reads(kind format.FileKind) bool { return kind == format.KindHypernetwork }

// Apply implements method.Method.
func (hypernetwork) Apply(m *model.Model, path string, weight float64) (model.Adapter, error) {
	f, err := format.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	modules, err := format.ReadHypernetwork(f)
	if err != nil {
		return nil, err
	}
	layers, err := m.Layers()
	if err != nil {
		return nil, err
	}
	a := &Applied{mlps: map[string]*mlp{}, weight: float32(weight)}
	has := widthsOf(layers)
	for _, n := range modules {
		if !slices.Contains(has, n.Width) {
			return nil, engine.Errorf(opApply, path, engine.BadFile, "it was made for another model: it changes contexts that are %d wide, this model's are %v", n.Width, has)
		}
		if err := keep(&n); err != nil {
			return nil, engine.Errorf(opApply, path, engine.KindOf(err), "the network %s: %w", n.Name(), err)
		}
		a.mlps[n.Name()] = &mlp{HypernetworkModule: n}
	}
	return a, nil
}

// keep copies the tensors, as the file will be closed, and refuses what cannot be computed.
func keep(m *format.HypernetworkModule) error {
	for i := range m.Layers {
		l := &m.Layers[i]
		if _, ok := activations[l.Activation]; !ok && l.Activation != linear && l.Activation != "" {
			return engine.Errorf(opApply, "", engine.Unsupported, "the activation %.40q is not known here", l.Activation)
		}
		for _, t := range []**kernel.Tensor{&l.Weight, &l.Bias, &l.Gamma, &l.Beta} {
			if *t == nil {
				continue
			}
			*t = (*t).Convert(kernel.F32)
			if slices.ContainsFunc((*t).F32(), func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }) {
				return engine.Errorf(opApply, "", engine.BadFile, "layer %d holds values that are not finite", i)
			}
			(*t).Frozen = true
		}
	}
	return nil
}

// Before implements model.Adapter.
func (a *Applied) Before(g *graph.Graph, l model.Layer, x *graph.Node) *graph.Node {
	m := a.mlps[nameOf(l)]
	if m == nil {
		return x
	}
	return a.changed.once(g, x, m, func() *graph.Node { return m.apply(g, x, a.leaf, a.weight, nil) })
}

// leaf is a constant of this file: another file's may have the same name.
func (a *Applied) leaf(g *graph.Graph, name string, t *kernel.Tensor) *graph.Node {
	return constant(g, fmt.Sprintf("%s:%p", name, a), t)
}
