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
	return &Applied{file: f, weight: float32(weight)}, nil
}

// After implements model.Adapter.
func (a *Applied) After(g *graph.Graph, l model.Layer, x, y *graph.Node) *graph.Node {
	m, ok := a.file.modules[kohyaName(l)]
	if !ok {
		return y
	}
	leaf := func(part string, t *kernel.Tensor) *graph.Node {
		name := fmt.Sprintf("%s:%p.%s", m.Name, a, part)
		if n := g.Leaf(name); n != nil {
			return n
		}
		return g.Constant(name, t)
	}
	return insert(g, l, x, y, leaf("down", m.Down), leaf("up", m.Up), a.weight*m.Alpha/float32(m.Rank()))
}
