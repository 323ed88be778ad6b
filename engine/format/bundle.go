package format

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/kernel"
)

const opBundle = "bundle embeddings"

// bundlePrefix begins the names of embeddings inside a LoRA file: "bundle_emb.WORD.string_to_param.*" (A1111,
// extensions-builtin/Lora/networks.py, and OneTrainer, whose invention it is).
const bundlePrefix = "bundle_emb."

// Bundle writes the LoRA file lora to path with embeddings inside, as A1111 reads them. Other programs refuse such a file
// or leave the words out. Errors: BadInput for a word with a dot, which would end it there.
func Bundle(path, lora string, words []Embedding) error {
	f, err := Open(lora)
	if err != nil {
		return err
	}
	defer f.Close()
	var tensors []Named
	for _, name := range f.Names() {
		t, err := f.Tensor(name)
		if err != nil {
			return err
		}
		tensors = append(tensors, Named{name, t})
	}
	for _, w := range words {
		if strings.Contains(w.Word, ".") {
			return engine.Errorf(opBundle, path, engine.BadInput, "the word %q holds a dot, which a bundled one cannot", w.Word)
		}
		if !finite(w.Vectors) {
			return engine.Errorf(opBundle, path, engine.NaN, "%s holds values that are not finite; the file was not written", w.Word)
		}
		tensors = append(tensors, Named{bundlePrefix + w.Word + ".string_to_param.*", w.Vectors})
	}
	metadata := maps.Clone(f.Metadata())
	hash := ModelHash(tensors)
	metadata["sshs_model_hash"], metadata["modelspec.hash_sha256"] = hash, "0x"+hash
	if metadata["sshs_legacy_hash"], err = legacyHash(tensors, metadata); err != nil {
		return err
	}
	return Write(path, tensors, metadata)
}

// BundledEmbeddings are the embeddings inside a LoRA file, sorted by word; none in most. The vectors are F32, in memory of
// their own. Errors: Unsupported for SDXL's, BadFile for what is no row of vectors.
func BundledEmbeddings(f *File) ([]Embedding, error) {
	words := map[string]Embedding{}
	for _, key := range f.Names() {
		rest, ok := strings.CutPrefix(key, bundlePrefix)
		if !ok {
			continue
		}
		word, part, _ := strings.Cut(rest, ".")
		if part == "clip_g" {
			return nil, engine.Errorf(opBundle, f.Path(), engine.Unsupported, "the word %q in it is for SDXL; %s", word, Trains)
		}
		t, err := f.Tensor(key)
		if err != nil {
			return nil, err
		}
		if _, twice := words[word]; twice || word == "" {
			return nil, engine.Errorf(opBundle, f.Path(), engine.BadFile, "%s is no word, or a second time the same", key)
		}
		vectors, err := vectorsOf(t)
		if err != nil {
			return nil, engine.Errorf(opBundle, f.Path(), engine.BadFile, "%s: %w", key, err)
		}
		words[word] = Embedding{word, vectors}
	}
	var list []Embedding
	for _, word := range slices.Sorted(maps.Keys(words)) {
		list = append(list, words[word])
	}
	return list, nil
}

// vectorsOf is a tensor of a file as vectors [n, width] in F32, in memory of their own.
func vectorsOf(t *kernel.Tensor) (*kernel.Tensor, error) {
	v := t.Convert(kernel.F32)
	switch s := t.Shape; {
	case len(s) == 1:
		v.Shape = []int{1, s[0]}
	case len(s) != 2:
		return nil, fmt.Errorf("an embedding is a row of vectors; this has shape %v", s)
	}
	if v.Len() == 0 || !finite(v) {
		return nil, fmt.Errorf("it holds no values, or some that are not finite")
	}
	return v, nil
}
