package pivotal

import (
	"os"
	"path/filepath"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
)

// Reads implements method.Method: LoRA files with words inside. Those without are LoRA's.
func (pivotal) Reads(kind format.FileKind) bool { return kind == format.KindBundle }

// Apply implements method.Method: the LoRA with the given weight, and the words inside it as they were trained.
func (pivotal) Apply(m *model.Model, path string, weight float64) (model.Adapter, error) {
	lora, err := method.ByName(layers)
	if err != nil {
		return nil, err
	}
	applied, err := lora.Apply(m, path, weight)
	if err != nil {
		return nil, err
	}
	f, err := format.OpenLoRA(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	inside, err := format.BundledEmbeddings(f)
	if err != nil {
		return nil, err
	}
	adapters := model.Adapters{applied}
	for _, e := range inside {
		word, err := method.ApplyEmbedding(m, e, path, 1)
		if err != nil {
			return nil, err
		}
		adapters = append(adapters, word)
	}
	return adapters, nil
}

// Export implements method.Tuning.
func (t *tuning) Export(path, form string, about method.About, dtype kernel.DType) error {
	if form != bundle {
		return t.lora.Export(path, beside, about, dtype)
	}
	dir, err := os.MkdirTemp("", "easel-bundle-")
	if err != nil {
		return engine.Errorf("bundle embeddings", path, engine.BadFile, "%w", err)
	}
	defer os.RemoveAll(dir)
	alone := filepath.Join(dir, "lora.safetensors")
	if err := t.lora.Export(alone, beside, about, dtype); err != nil {
		return err
	}
	return format.Bundle(path, alone, t.embeddings())
}

// Companions implements method.Several: the words' files, which a bundle holds inside. They end in .pt, because a word is
// called by the name of its file, and the LoRA may have taken that with the other ending.
func (t *tuning) Companions(form string) []method.Companion {
	if form == bundle {
		return nil
	}
	var files []method.Companion
	for _, e := range t.embeddings() {
		files = append(files, method.Companion{Name: e.Word, Ending: ".pt", Export: func(path string, about method.About, _ kernel.DType) error {
			return e.WriteTorch(path, about.EmbeddingMeta())
		}})
	}
	return files
}

func (t *tuning) embeddings() []format.Embedding { return t.word.(method.Words).Embeddings() }
