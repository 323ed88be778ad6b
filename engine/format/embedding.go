package format

import (
	"path/filepath"
	"strings"

	"easel/engine"
	"easel/engine/format/pickle"
	"easel/engine/kernel"
)

const opEmbedding = "read embedding"

// Embedding is the vectors of a new word, as Textual Inversion trains them.
type Embedding struct {
	Word    string         // that calls them in a prompt
	Vectors *kernel.Tensor // [n, width]
}

// a1111Tensor is the one tensor of an embedding that A1111 and kohya call by the file's name.
const a1111Tensor = "emb_params"

// ReadEmbedding reads an embedding in any of its forms (formats.md 5.1): A1111's .safetensors and .pt, whose word is the
// file's name without its ending, and diffusers', whose word is the tensor's name. The vectors are F32, in memory of their
// own. Errors: Unsupported for SDXL's, which has vectors for two text encoders; BadFile for what is no embedding, and for
// values that are not finite.
func ReadEmbedding(path string) (Embedding, error) {
	f, err := Open(path)
	if err != nil {
		return Embedding{}, err
	}
	defer f.Close()
	bad := func(kind engine.Kind, format string, args ...any) (Embedding, error) {
		return Embedding{}, engine.Errorf(opEmbedding, path, kind, format, args...)
	}
	names := f.Names()
	if f.Has("clip_l") && f.Has("clip_g") {
		return bad(engine.Unsupported, "this embedding is for SDXL; %s", Trains)
	}
	if len(names) != 1 {
		return bad(engine.BadFile, "an embedding is one tensor; this file has %d", len(names))
	}
	t, err := f.Tensor(names[0])
	if err != nil {
		return Embedding{}, err
	}
	vectors, err := vectorsOf(t)
	if err != nil {
		return bad(engine.BadFile, "%s: %w", names[0], err)
	}
	return Embedding{Word: wordOf(path, names[0]), Vectors: vectors}, nil
}

// wordOf is the word of an embedding by the rules of the program that wrote it.
func wordOf(path, tensor string) string {
	if tensor == a1111Tensor || tensor == "clip_l" || strings.HasPrefix(tensor, "string_to_param.") {
		base := filepath.Base(path)
		return strings.TrimSuffix(base, filepath.Ext(base))
	}
	return tensor
}

// EmbeddingMeta is what an embedding tells about its training.
type EmbeddingMeta struct {
	Base    string // one of the Base constants
	Steps   int
	Comment string
}

// metadata returns kohya's entries and modelspec's (sd-scripts, library/sai_model_spec.py).
func (m EmbeddingMeta) metadata(word string) map[string]string {
	return withoutEmpty(map[string]string{
		"format":                    "pt",
		"name":                      word,
		"step":                      pythonCount(m.Steps),
		"modelspec.sai_model_spec":  "1.0.1",
		"modelspec.architecture":    architectures[m.Base] + "/textual-inversion",
		"modelspec.implementation":  "https://github.com/Stability-AI/generative-models",
		"modelspec.title":           word,
		"modelspec.trigger_phrase":  word,
		"modelspec.description":     m.Comment,
		"modelspec.prediction_type": map[bool]string{true: "v", false: "epsilon"}[strings.HasSuffix(m.Base, "_v")],
	})
}

// WriteA1111 writes the embedding's vectors as A1111, Forge and ComfyUI read them: they call it by the file's name.
func (e Embedding) WriteA1111(path string, m EmbeddingMeta) error {
	return e.write(path, a1111Tensor, m)
}

// WriteDiffusers writes it as diffusers does: the tensor is called by the word.
func (e Embedding) WriteDiffusers(path string, m EmbeddingMeta) error {
	return e.write(path, e.Word, m)
}

func (e Embedding) write(path, name string, m EmbeddingMeta) error {
	if !finite(e.Vectors) {
		return engine.Errorf("write embedding", path, engine.NaN, "%s holds values that are not finite; the file was not written", e.Word)
	}
	return Write(path, []Named{{name, e.Vectors}}, m.metadata(e.Word))
}

// WriteTorch writes A1111's .pt (textual_inversion.py, Embedding.save).
func (e Embedding) WriteTorch(path string, m EmbeddingMeta) error {
	dict := func(pairs ...any) *pickle.Dict {
		d := &pickle.Dict{}
		for i := 0; i < len(pairs); i += 2 {
			d.Set(pairs[i], pairs[i+1])
		}
		return d
	}
	return WriteTorch(path, dict("string_to_token", dict("*", 265), "string_to_param", dict("*", e.Vectors), "name", e.Word,
		"step", m.Steps, "sd_checkpoint", nil, "sd_checkpoint_name", nil))
}
