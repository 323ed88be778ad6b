package textualinversion

import (
	"easel/engine/format"
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
	return method.ApplyEmbedding(m, e, path, weight)
}

// Embeddings implements method.Words.
func (t *tuning) Embeddings() []format.Embedding {
	var es []format.Embedding
	for _, w := range t.words {
		es = append(es, format.Embedding{Word: w.name, Vectors: w.vectors})
	}
	return es
}

// Export implements method.Tuning: the job's word.
func (t *tuning) Export(path, form string, about method.About, _ kernel.DType) error {
	return write(t.Embeddings()[0], path, form, about)
}

// Companions implements method.Several: further words, each in a file of its own, because an embedding holds one.
func (t *tuning) Companions(form string) []method.Companion {
	ending := ".safetensors"
	if form == torch {
		ending = ".pt"
	}
	var files []method.Companion
	for _, e := range t.Embeddings()[1:] {
		files = append(files, method.Companion{Name: e.Word, Ending: ending, Export: func(path string, about method.About, _ kernel.DType) error {
			return write(e, path, form, about)
		}})
	}
	return files
}

func write(e format.Embedding, path, form string, about method.About) error {
	switch form {
	case torch:
		return e.WriteTorch(path, about.EmbeddingMeta())
	case diffusers:
		return e.WriteDiffusers(path, about.EmbeddingMeta())
	}
	return e.WriteA1111(path, about.EmbeddingMeta())
}
