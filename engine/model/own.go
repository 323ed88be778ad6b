package model

import (
	"easel/engine"
	"easel/engine/graph"
	"easel/engine/kernel"
)

// Own makes the tensor the adapter's, to change as it likes, of the type that Storage.Trained says. Graphs that are built
// later find it in place of the network's own, whose memory is given back.
func (w Weight) Own() (*kernel.Tensor, error) {
	t, err := w.store.own(w.Name, w.Tensor)
	if err != nil {
		return nil, engine.Errorf("train weights", "", engine.OutOfMemory, "no room for %s: %w", w.Name, err)
	}
	return t, nil
}

func (s *stored) own(name string, t *kernel.Tensor) (*kernel.Tensor, error) {
	dt := kernel.F32
	if s.storage != nil && len(t.Shape) > 1 {
		dt = s.storage.Trained
	}
	if s.made[name] && t.DType == dt && !t.Mapped { // nobody else has it
		t.Frozen, t.Packed = false, nil
		s.owned[name] = true
		return t, nil
	}
	c := &kernel.Tensor{Shape: t.Shape, DType: dt}
	if len(t.Data) > 0 { // no outline
		if err := s.spill.place(c, ""); err != nil {
			return nil, err
		}
		convert(c, t)
		t.Packed = nil
		t.LetGo()
	}
	s.have[name] = c
	s.owned[name] = true
	return c, nil
}

// Untrained is an Adapter that makes a network what it was before an adapter's Own: what is trained is read from the model's
// file in its place.
func (m *Model) Untrained() Adapter { return untrained{model: m} }

type untrained struct {
	Unchanged
	model *Model
}

// Weight implements Adapter.
func (u untrained) Weight(g *graph.Graph, w Weight) *graph.Node {
	if !w.store.owned[w.Name] {
		return nil
	}
	t, err := u.model.Original(w.Part, w.Name, w.Tensor.Shape...)
	if err != nil {
		g.Fail("%w", err)
		return nil
	}
	t.Frozen = false // is not worth a copy in a form of the backend's own
	return g.Constant(w.Leaf(), t)
}

// Original is a weight as the model's file has it, whatever is trained in its place.
func (m *Model) Original(part Part, name string, shape ...int) (*kernel.Tensor, error) {
	return m.weights[part].Tensor(name, shape...)
}
