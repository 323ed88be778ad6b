package textualinversion

import (
	"fmt"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
)

// Reads implements method.Method.
func (textualInversion) Reads(kind format.FileKind) bool { return kind == format.KindEmbedding }

// Apply implements method.Method. The word of the file then works in prompts; its vectors are multiplied by weight.
func (textualInversion) Apply(m *model.Model, path string, weight float64) (model.Adapter, error) {
	e, err := format.ReadEmbedding(path)
	if err != nil {
		return nil, err
	}
	if err := fits(m, e, path); err != nil {
		return nil, err
	}
	first, err := m.AddWord(e.Word, e.Vectors.Rows())
	if err != nil {
		return nil, engine.Errorf("apply embedding", path, engine.KindOf(err), "%w", err)
	}
	for i := range e.Vectors.F32() {
		e.Vectors.F32()[i] *= float32(weight)
	}
	e.Vectors.Frozen = true
	return &applied{vectors: e.Vectors, first: first}, nil
}

// applied is an embedding file at work in a frozen model, as in sampling.
type applied struct {
	model.Unchanged
	vectors *kernel.Tensor
	first   int // id of the first vector
}

// Embed implements model.Adapter.
func (a *applied) Embed(g *graph.Graph, ids, h *graph.Node) *graph.Node {
	name := fmt.Sprintf("embedding:%p", a)
	vectors := g.Leaf(name)
	if vectors == nil {
		vectors = g.Constant(name, a.vectors)
	}
	return g.Add(h, g.Embedding(ids, vectors, a.first))
}

// Export implements method.Tuning: the job's word.
func (t *tuning) Export(path, form string, about method.About, _ kernel.DType) error {
	return t.words[0].write(path, form, about)
}

// Companions implements method.Several: further words, each in a file of its own, because an embedding holds one.
func (t *tuning) Companions(form string) []method.Companion {
	ending := ".safetensors"
	if form == torch {
		ending = ".pt"
	}
	var files []method.Companion
	for _, w := range t.words[1:] {
		files = append(files, method.Companion{Name: w.name, Ending: ending, Export: func(path string, about method.About, _ kernel.DType) error {
			return w.write(path, form, about)
		}})
	}
	return files
}

func (w *word) write(path, form string, about method.About) error {
	meta := format.EmbeddingMeta{Base: about.Base(), Steps: about.Steps, Comment: "made with Easel"}
	e := format.Embedding{Word: w.name, Vectors: w.vectors}
	switch form {
	case torch:
		return e.WriteTorch(path, meta)
	case diffusers:
		return e.WriteDiffusers(path, meta)
	}
	return e.WriteA1111(path, meta)
}
