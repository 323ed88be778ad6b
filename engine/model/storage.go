package model

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"easel/engine"
	"easel/engine/kernel"
)

// Storage says how the frozen weights of a network are kept in memory.
type Storage struct {
	// DType is the type in which matrices and convolutions are stored. Those of another floating type are converted
	// once, while they are read; vectors stay as they are, and so do tables of embeddings, of which a run reads few rows.
	DType kernel.DType
	// Trained is the type of matrices and convolutions that a method makes its own (Weight.Own): F32 or BF16. Vectors are F32.
	Trained kernel.DType
	// Lean keeps the backend from holding a copy in a form of its own: weights are converted at each use.
	Lean bool
	// Spill is a folder for a temporary file that holds what is converted, so that its memory can be let go between
	// uses like that of the model's own file. Empty keeps it in memory.
	Spill string
}

// Store says how the weights of a network are kept that are read from now on. By default they are as in the file, in the
// file's own memory where it is mapped.
func (m *Model) Store(part Part, s Storage) {
	m.Release(part)
	if r, ok := m.weights[part].(*Random); ok {
		r.dir = s.Spill
	}
	m.stored[part] = &stored{Weights: m.weights[part], storage: &s}
}

// FileType is the type in which most numbers of a network's matrices and convolutions lie in the model's file.
func (m *Model) FileType(part Part) (kernel.DType, error) {
	if r, ok := m.weights[part].(*Random); ok { // makes each tensor when it is asked for
		return r.dtype, nil
	}
	layers, err := m.Layers()
	if err != nil {
		return 0, err
	}
	numbers := map[kernel.DType]int{}
	most := kernel.F32
	for _, l := range layers {
		if l.Part != part {
			continue
		}
		t, err := m.weights[part].Tensor(l.Module+".weight", l.Shape...)
		if err != nil {
			return 0, err
		}
		if numbers[t.DType] += t.Len(); numbers[t.DType] > numbers[most] {
			most = t.DType
		}
	}
	return most, nil
}

// Release forgets the weights of a network and gives back their memory. Graphs that hold some go on working; new ones
// read the file again.
func (m *Model) Release(part Part) {
	s := m.store(part)
	for _, t := range s.have {
		t.Packed = nil // freed by the collector, as what was converted
		t.LetGo()
	}
	clear(s.have)
	clear(s.made)
	clear(s.owned)
}

func (m *Model) store(part Part) *stored {
	if m.stored == nil {
		m.stored = map[Part]*stored{}
	}
	if m.stored[part] == nil {
		m.stored[part] = &stored{Weights: m.weights[part]}
	}
	s := m.stored[part]
	if s.have == nil {
		s.have, s.made, s.owned = map[string]*kernel.Tensor{}, map[string]bool{}, map[string]bool{}
	}
	return s
}

// stored gives weights as a Storage asks for, each once: all graphs of a network share them.
type stored struct {
	Weights
	storage *Storage // nil leaves them as they are
	have    map[string]*kernel.Tensor
	owned   map[string]bool // tensors that an adapter trains
	made    map[string]bool // tensors that are this store's alone: not views of a file
	spill   spill
}

// Tensor implements Weights.
func (s *stored) Tensor(name string, shape ...int) (*kernel.Tensor, error) {
	if t := s.have[name]; t != nil {
		return t, nil
	}
	t, err := s.Weights.Tensor(name, shape...)
	original := t
	if err == nil && s.storage != nil && len(shape) > 1 && floating(t.DType) && !strings.HasSuffix(name, "embedding.weight") {
		t, err = s.convert(t)
	}
	if err != nil {
		return nil, err
	}
	_, random := s.Weights.(*Random)
	s.have[name], s.made[name] = t, t != original || random
	return t, nil
}

func floating(dt kernel.DType) bool { return dt != kernel.I32 }

// convert makes the form that the storage asks for. The original's memory is let go at once: there are never two of all.
func (s *stored) convert(t *kernel.Tensor) (*kernel.Tensor, error) {
	if len(t.Data) == 0 { // an outline
		return &kernel.Tensor{Shape: t.Shape, DType: s.storage.DType, Frozen: t.Frozen}, nil
	}
	if t.DType == s.storage.DType && (t.Mapped || s.storage.Spill == "") {
		t.Frozen = !s.storage.Lean
		return t, nil
	}
	c := &kernel.Tensor{Shape: t.Shape, DType: s.storage.DType, Frozen: !s.storage.Lean}
	if err := s.spill.place(c, s.storage.Spill); err != nil {
		return nil, engine.Errorf("load model", "", engine.OutOfMemory, "no room for the weights: %w", err)
	}
	convert(c, t)
	t.LetGo()
	c.LetGo()
	return c, nil
}

// convert writes the elements of from into to, through a small buffer for each processor.
func convert(to, from *kernel.Tensor) {
	const chunk = 1 << 16
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (from.Len()+chunk-1)/chunk) {
		all.Go(func() {
			values := make([]float32, chunk)
			for {
				at := int(next.Add(chunk)) - chunk
				if at >= from.Len() {
					return
				}
				n := min(chunk, from.Len()-at)
				part(from, at, n).ReadF32(values[:n])
				part(to, at, n).WriteF32(values[:n])
			}
		})
	}
	all.Wait()
}

func part(t *kernel.Tensor, at, n int) *kernel.Tensor {
	size := t.DType.Size()
	return &kernel.Tensor{Shape: []int{n}, DType: t.DType, Data: t.Data[at*size : (at+n)*size]}
}

// Outline is the model without its weights: their graphs can be compiled, to learn what they would need, but not run.
func (m *Model) Outline() *Model {
	o := *m
	o.stored = nil
	o.words = m.tokenizer().Clone()
	o.weights = map[Part]Weights{UNet: outline{}, Text: outline{}, VAE: outline{}}
	o.close = func() error { return nil }
	return &o
}

type outline struct{}

// Tensor implements Weights: a tensor without data.
func (outline) Tensor(_ string, shape ...int) (*kernel.Tensor, error) {
	return &kernel.Tensor{Shape: shape, Frozen: true}, nil
}
