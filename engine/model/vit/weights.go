package vit

import (
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
)

const opOpen = "open captioner"

// FileWeights finds tensors in a file, each once; matrices are stored as dtype where that is smaller than the file's.
type FileWeights struct {
	source format.Source
	tied   map[string]string
	dtype  kernel.DType
	have   map[string]*kernel.Tensor
}

// NewWeights gives the tensors of s. For names in tied that s lacks, the names there hold the same numbers.
func NewWeights(s format.Source, tied map[string]string) *FileWeights {
	return &FileWeights{source: s, tied: tied, have: map[string]*kernel.Tensor{}}
}

// Store keeps the matrices of networks that are built from now on as dt, where that is smaller than in the file.
func (w *FileWeights) Store(dt kernel.DType) {
	w.dtype = dt
	clear(w.have)
}

// Tensor implements model.Weights.
func (w *FileWeights) Tensor(name string, shape ...int) (*kernel.Tensor, error) {
	if t := w.have[name]; t != nil {
		return t, nil
	}
	own := name
	if !w.source.Has(own) && w.tied[name] != "" {
		own = w.tied[name]
	}
	if !w.source.Has(own) {
		return nil, engine.Errorf(opOpen, "", engine.BadFile, "tensor %s is missing", name)
	}
	t, err := w.source.Tensor(own)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(t.Shape, shape) {
		return nil, engine.Errorf(opOpen, "", engine.BadFile, "tensor %s has shape %v where the configuration asks for %v", own, t.Shape, shape)
	}
	if t.DType == kernel.I32 {
		return nil, engine.Errorf(opOpen, "", engine.BadFile, "tensor %s holds integers", own)
	}
	if len(shape) > 1 && w.dtype.Size() < t.DType.Size() && !strings.Contains(name, "embedding") { // of which few rows are read
		small := t.Convert(w.dtype)
		small.Frozen = true
		t.LetGo()
		t = small
	}
	w.have[name] = t
	return t, nil
}

// block views the i-th of n equal blocks of rows. t may be an outline, without data.
func block(t *kernel.Tensor, i, n int) *kernel.Tensor {
	if len(t.Data) == 0 {
		return &kernel.Tensor{Shape: append([]int{t.Shape[0] / n}, t.Shape[1:]...), DType: t.DType, Frozen: t.Frozen}
	}
	return format.Ref{Index: i, Of: n}.Rows(t)
}
