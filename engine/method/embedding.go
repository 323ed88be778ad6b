package method

import (
	"fmt"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model"
)

// Words is a Tuning that teaches new words.
type Words interface {
	// Embeddings are the words with their present vectors, that of the job first.
	Embeddings() []format.Embedding
}

// EmbeddingMeta is what an exported embedding tells of its making.
func (a About) EmbeddingMeta() format.EmbeddingMeta {
	return format.EmbeddingMeta{Base: a.Base(), Steps: a.Steps, Comment: "made with Easel"}
}

// FitEmbedding refuses an embedding of another width than m's text encoder. path is that of its file.
func FitEmbedding(m *model.Model, e format.Embedding, path string) error {
	if got, want := e.Vectors.Channels(), m.Text.HiddenSize; got != want {
		return engine.Errorf("apply embedding", path, engine.BadFile, "it was made for another model: its vectors are %d wide, this text encoder's are %d", got, want)
	}
	return nil
}

// ApplyEmbedding makes the word of an embedding, read from path, work in m's prompts; its vectors are multiplied by weight.
func ApplyEmbedding(m *model.Model, e format.Embedding, path string, weight float64) (model.Adapter, error) {
	if err := FitEmbedding(m, e, path); err != nil {
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
	return &embedding{vectors: e.Vectors, first: first}, nil
}

// embedding is a word at work in a frozen model, as in sampling.
type embedding struct {
	model.Unchanged
	vectors *kernel.Tensor
	first   int // id of the first vector
}

// Embed implements model.Adapter.
func (e *embedding) Embed(g *graph.Graph, ids, h *graph.Node) *graph.Node {
	name := fmt.Sprintf("embedding:%p", e)
	vectors := g.Leaf(name)
	if vectors == nil {
		vectors = g.Constant(name, e.vectors)
	}
	return g.Add(h, g.Embedding(ids, vectors, e.first))
}
