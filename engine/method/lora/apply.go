package lora

import (
	"fmt"
	"slices"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model"
)

// Applied is a LoRA file at work beside a frozen model, as in sampling.
type Applied struct {
	path    string
	weight  float32
	modules map[string]format.LoRAModule
	used    map[string]bool
}

// Apply reads a LoRA file; weight 1 adds it as it was trained.
func Apply(path string, weight float64) (*Applied, error) {
	f, err := format.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	modules, err := format.ReadLoRA(f)
	if err != nil {
		return nil, err
	}
	a := &Applied{path: path, weight: float32(weight), modules: map[string]format.LoRAModule{}, used: map[string]bool{}}
	for _, m := range modules {
		m.Down, m.Up = frozen(m.Down), frozen(m.Up) // the file will be closed
		a.modules[m.Name] = m
	}
	return a, nil
}

func frozen(t *kernel.Tensor) *kernel.Tensor {
	c := t.Convert(kernel.F32)
	c.Frozen = true
	return c
}

// After implements model.Adapter.
func (a *Applied) After(g *graph.Graph, l model.Layer, x, y *graph.Node) *graph.Node {
	m, ok := a.modules[kohyaName(l)]
	if !ok {
		return y
	}
	if !fits(m, l.Shape) {
		g.Fail("%w", engine.Errorf("apply LoRA", a.path, engine.BadFile, "it was made for another model: %s has shapes %v and %v beside a weight of %v", m.Name, m.Down.Shape, m.Up.Shape, l.Shape))
		return nil
	}
	a.used[m.Name] = true
	leaf := func(part string, t *kernel.Tensor) *graph.Node {
		name := fmt.Sprintf("%s:%p.%s", m.Name, a, part)
		if n := g.Leaf(name); n != nil {
			return n
		}
		return g.Constant(name, t)
	}
	return insert(g, l, x, y, leaf("down", m.Down), leaf("up", m.Up), a.weight*m.Alpha/float32(m.Rank()))
}

func fits(m format.LoRAModule, weight []int) bool {
	return m.Down.Shape[1] == weight[1] && m.Up.Shape[0] == weight[0] && m.Up.Shape[1] == m.Rank() &&
		kernel.Len(m.Down.Shape[2:]) == kernel.Len(weight[2:]) && (!spatial(weight) || slices.Equal(m.Down.Shape[2:], weight[2:]))
}

// Check is an error of kind BadFile where the file has layers that no graph built so far has used: it was made for
// another model.
func (a *Applied) Check() error {
	for name := range a.modules {
		if !a.used[name] {
			return engine.Errorf("apply LoRA", a.path, engine.BadFile, "it was made for another model: this one has no layer for %s (%d of %d fit)", name, len(a.used), len(a.modules))
		}
	}
	return nil
}
