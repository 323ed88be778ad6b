package lora

import (
	"fmt"

	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model"
)

// Applied is a LoRA file at work beside a frozen model, as in sampling.
type Applied struct {
	model.Unchanged
	file   *file
	weight float32
	norms  map[string]*kernel.Tensor // of the weights beside a DoRA
}

// Reads implements method.Method.
func (lora) Reads(kind format.FileKind) bool { return kind == format.KindLoRA }

// Apply implements method.Method.
func (lora) Apply(m *model.Model, path string, weight float64) (model.Adapter, error) {
	return Apply(m, path, weight)
}

// Apply reads a LoRA file, or a folder of peft's, for m; weight 1 adds it as it was trained. A file that was made for
// another model is an error of kind BadFile.
func Apply(m *model.Model, path string, weight float64) (*Applied, error) {
	f, err := read(m, path)
	if err != nil {
		return nil, err
	}
	return &Applied{file: f, weight: float32(weight), norms: map[string]*kernel.Tensor{}}, nil
}

// After implements model.Adapter.
func (a *Applied) After(g *graph.Graph, l model.Layer, x, y *graph.Node) *graph.Node {
	m, ok := a.file.modules[kohyaName(l)]
	if !ok {
		return y
	}
	leaf := func(part string, t *kernel.Tensor) *graph.Node {
		return constant(g, fmt.Sprintf("%s:%p.%s", m.Name, a, part), t)
	}
	down, up, scale := leaf("down", m.Down), leaf("up", m.Up), m.Alpha/float32(m.Rank())
	h := inner(g, l, x, down)
	if m.Magnitude == nil {
		return g.Add(y, g.Linear(h, up, nil, a.weight*scale))
	}
	z := g.Add(y, g.Linear(h, up, nil, scale))
	z = resize(g, l, z, down, up, leaf("own", a.own(l)), leaf("magnitude", m.Magnitude), scale)
	if a.weight == 1 {
		return z
	}
	share := func(part string, v float32) *graph.Node { return leaf(part, filled(l.Shape[0], v)) }
	return g.Add(g.Rescale(y, share("less", 1-a.weight), nil, nil), g.Rescale(z, share("more", a.weight), nil, nil))
}

// own are the norms of the rows of l's weight, found once.
func (a *Applied) own(l model.Layer) *kernel.Tensor {
	name := kohyaName(l)
	if a.norms[name] == nil {
		a.norms[name] = norms(l.Weight)
	}
	return a.norms[name]
}

func filled(n int, v float32) *kernel.Tensor {
	t := kernel.New(kernel.F32, n)
	for i := range n {
		t.F32()[i] = v
	}
	return t
}
