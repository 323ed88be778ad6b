package format

import (
	"slices"

	"easel/engine"
	"easel/engine/kernel"
)

// Stored is a tensor as it lies in a file. It may be of a type that no kernel.Tensor has.
type Stored struct {
	Name  string
	DType string // safetensors' name: "F32", "F16", "BF16", "I64", ...
	Shape []int
	Data  func() ([]byte, error) // the elements, little-endian
}

// StoredAs is a tensor as it will lie in a file, in its own type.
func StoredAs(name string, t *kernel.Tensor) Stored {
	return Stored{Name: name, DType: nameOf(t.DType), Shape: t.Shape, Data: func() ([]byte, error) {
		return t.Data[:t.Len()*t.DType.Size()], nil // which may be longer
	}}
}

func storedAll(tensors []Named) []Stored {
	all := make([]Stored, len(tensors))
	for i, n := range tensors {
		all[i] = StoredAs(n.Name, n.Tensor)
	}
	return all
}

// Stored gives a tensor without looking at its data, which is a view of the file where it lies in order.
func (f *File) Stored(name string) (Stored, error) {
	i, ok := f.index[name]
	if !ok {
		return Stored{}, engine.Errorf(opRead, f.path, engine.NotFound, "there is no tensor %q", name)
	}
	e := f.header.entries[i]
	return Stored{Name: name, DType: e.dtype.name, Shape: slices.Clone(e.shape), Data: func() ([]byte, error) {
		return f.elements(e), nil
	}}, nil
}

// StoredIn is File.Stored for the weights of a folder's component.
func StoredIn(s Source, name string) (Stored, error) {
	switch s := s.(type) {
	case *File:
		return s.Stored(name)
	case *shards:
		if f := s.in[name]; f != nil {
			return f.Stored(name)
		}
	}
	return Stored{}, engine.Errorf(opRead, "", engine.NotFound, "there is no tensor %q", name)
}
