package blip

import (
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
)

// fileWeights finds tensors in a file, each once; matrices are stored as dtype where that is smaller than the file's.
type fileWeights struct {
	source format.Source
	dtype  kernel.DType
	have   map[string]*kernel.Tensor
}

// tied are names that newer versions of transformers leave out, and those under which they store the same numbers.
var tied = map[string]string{
	"text_decoder.cls.predictions.decoder.weight": "text_decoder.bert.embeddings.word_embeddings.weight",
	"text_decoder.cls.predictions.decoder.bias":   "text_decoder.cls.predictions.bias",
}

// Tensor implements model.Weights.
func (w *fileWeights) Tensor(name string, shape ...int) (*kernel.Tensor, error) {
	if t := w.have[name]; t != nil {
		return t, nil
	}
	own := name
	if !w.source.Has(own) && tied[name] != "" {
		own = tied[name]
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
