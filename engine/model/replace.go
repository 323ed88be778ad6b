package model

import (
	"os"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
)

const opReplace = "apply model"

// Replace reads another model of the same shape, a checkpoint or a diffusers folder, whose UNet and text encoder stand in
// place of m's: W + weight·(W' - W). It stays open until m is closed. A file that was made for another model is an error of
// kind BadFile.
func (m *Model) Replace(path string, weight float64) (Adapter, error) {
	r := &replacement{weight: float32(weight), weights: map[Part]Weights{}}
	source, closeFile, err := openSources(path)
	if err != nil {
		return nil, err
	}
	m.alsoClose(closeFile)
	for part, s := range source {
		r.weights[part] = fileWeights{s, map[string]*kernel.Tensor{}}
	}
	layers, err := m.Outline().Layers()
	if err != nil {
		return nil, err
	}
	for _, l := range layers {
		if _, err := r.weights[l.Part].Tensor(l.Module+".weight", l.Shape...); err != nil {
			return nil, engine.Errorf(opReplace, path, engine.BadFile, "it was made for another model: %w", err)
		}
	}
	return r, nil
}

// openSources opens the UNet and the text encoder at path.
func openSources(path string) (source map[Part]format.Source, closeFile func() error, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, engine.Errorf(opReplace, path, engine.NotFound, "there is no such file or folder")
	}
	var component func(Part) (format.Source, error)
	if info.IsDir() {
		d, err := format.OpenFolder(os.DirFS(path))
		if err != nil {
			return nil, nil, err
		}
		closeFile = d.Close
		component = func(part Part) (format.Source, error) {
			c, err := d.Component(string(part))
			if err != nil {
				return nil, err
			}
			return c.Weights, nil
		}
	} else {
		f, err := format.Open(path)
		if err != nil {
			return nil, nil, err
		}
		c := format.NewCheckpoint(f) // of whatever kind: it is held against the model that it is for
		closeFile = f.Close
		component = func(part Part) (format.Source, error) { return c.Component(string(part)) }
	}
	source = map[Part]format.Source{}
	for _, part := range []Part{UNet, Text} {
		if source[part], err = component(part); err != nil {
			closeFile()
			return nil, nil, err
		}
	}
	return source, closeFile, nil
}

// replacement is an Adapter that puts another model's weights in place.
type replacement struct {
	Unchanged
	weight  float32
	weights map[Part]Weights
}

// Weight implements Adapter.
func (r *replacement) Weight(g *graph.Graph, w Weight) *graph.Node {
	if r.weights[w.Part] == nil {
		return nil
	}
	t, err := r.weights[w.Part].Tensor(w.Name, w.Tensor.Shape...)
	if err != nil {
		g.Fail("%w", err)
		return nil
	}
	t.Frozen = false // is not worth a copy in a form of the backend's own
	if r.weight != 1 {
		t = between(w.Tensor, t, r.weight)
	}
	return g.Constant(w.Leaf(), t)
}

// between is a + weight·(b - a), stored as a is.
func between(a, b *kernel.Tensor, weight float32) *kernel.Tensor {
	sum, to := a.Floats(), b.Floats()
	for i, v := range to {
		sum[i] += weight * (v - sum[i])
	}
	c := kernel.New(a.DType, a.Shape...)
	c.WriteF32(sum)
	a.LetGo()
	b.LetGo()
	return c
}
