package format_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
)

// TestEmbeddingsOfEveryForm: the same two vectors in the files of A1111, kohya and diffusers, and the words that call them
// there.
func TestEmbeddingsOfEveryForm(t *testing.T) {
	want := golden.Open(t, "train/textual_inversion.safetensors").Tensor("after/embedding")
	first := &kernel.Tensor{Shape: []int{1, 12}, Data: want.Data[:4*12]}
	for name, c := range map[string]struct {
		word    string
		vectors *kernel.Tensor
	}{
		"ti-a1111.safetensors":        {"ti-a1111", want},
		"ti-a1111.pt":                 {"ti-a1111", want},
		"ti-diffusers.safetensors":    {"easel-pet", want},
		"ti-diffusers.bin":            {"easel-pet", want},
		"ti-diffusers-1d.safetensors": {"<easel-one>", first},
	} {
		e, err := format.ReadEmbedding(golden.Path(t, "files", name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e.Word != c.word || !cmp.Equal(e.Vectors.Shape, c.vectors.Shape) || !cmp.Equal(e.Vectors.F32(), c.vectors.F32()) {
			t.Errorf("%s is %q %v with other values than %q %v", name, e.Word, e.Vectors.Shape, c.word, c.vectors.Shape)
		}
	}
}

func TestEmbeddingsOfOtherPrograms(t *testing.T) {
	for name, word := range map[string]string{
		"ti-birb-style/learned_embeds.bin":                         "<birb-style>",
		"cloneofsimo-lora/lora_kiriko2.ti.pt":                      "<krk>",
		"cloneofsimo-lora/converted/lora_disney.embs1.safetensors": "lora_disney.embs1",
	} {
		e, err := format.ReadEmbedding(filepath.Join(fixtures(t), name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if e.Word != word || !cmp.Equal(e.Vectors.Shape, []int{1, 768}) {
			t.Errorf("%s is %q %v, want %q", name, e.Word, e.Vectors.Shape, word)
		}
	}
}

// TestWrittenEmbeddings come back equal, under the word that each form gives them, and Inspect knows them.
func TestWrittenEmbeddings(t *testing.T) {
	e := format.Embedding{Word: "zorbit", Vectors: kernel.FromF32([]float32{1, -2, 3.5, 0, 1e-3, 6}, 2, 3)}
	meta := format.EmbeddingMeta{Base: format.BaseSD1, Steps: 7}
	for _, c := range []struct {
		file, word string
		write      func(string, format.EmbeddingMeta) error
	}{
		{"called.safetensors", "called", e.WriteA1111},
		{"called.safetensors", "zorbit", e.WriteDiffusers},
		{"called.pt", "called", e.WriteTorch},
	} {
		path := filepath.Join(t.TempDir(), c.file)
		if err := c.write(path, meta); err != nil {
			t.Fatal(err)
		}
		got, err := format.ReadEmbedding(path)
		if err != nil {
			t.Fatal(err)
		}
		if got.Word != c.word || !cmp.Equal(got.Vectors.Shape, e.Vectors.Shape) || !cmp.Equal(got.Vectors.F32(), e.Vectors.F32()) {
			t.Errorf("%s came back as %q %v %v", c.file, got.Word, got.Vectors.Shape, got.Vectors.F32())
		}
		info, err := format.Inspect(path)
		if err != nil || info.Kind != format.KindEmbedding || info.Metadata["step"] != "7" || info.Metadata["name"] != "zorbit" {
			t.Errorf("%s: inspected as %q, %v (%v)", c.file, info.Kind, info.Metadata, err)
		}
	}
	e.Vectors.F32()[1] = float32(math.NaN())
	if err := e.WriteA1111(filepath.Join(t.TempDir(), "x.safetensors"), meta); engine.KindOf(err) != engine.NaN {
		t.Errorf("values that are not finite: %v", err)
	}
}

func TestFilesThatAreNoEmbedding(t *testing.T) {
	vectors := func(shape ...int) *kernel.Tensor { return kernel.New(kernel.F32, shape...) }
	nan := vectors(1, 4)
	nan.F32()[2] = float32(math.Inf(1))
	for name, c := range map[string]struct {
		tensors []format.Named
		kind    engine.Kind
		says    string
	}{
		"SDXL":     {[]format.Named{{"clip_l", vectors(1, 4)}, {"clip_g", vectors(1, 6)}}, engine.Unsupported, "SDXL"},
		"two":      {[]format.Named{{"a", vectors(1, 4)}, {"b", vectors(1, 4)}}, engine.BadFile, "has 2"},
		"a cube":   {[]format.Named{{"a", vectors(1, 4, 2)}}, engine.BadFile, "shape [1 4 2]"},
		"nothing":  {[]format.Named{{"a", vectors(0, 4)}}, engine.BadFile, "no values"},
		"infinite": {[]format.Named{{"a", nan}}, engine.BadFile, "not finite"},
	} {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := format.Write(path, c.tensors, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := format.ReadEmbedding(path); engine.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := format.ReadEmbedding("nowhere.pt"); engine.KindOf(err) != engine.NotFound {
		t.Errorf("no file: %v", err)
	}
}
