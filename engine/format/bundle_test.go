package format_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
)

// TestBundles hold a LoRA's modules as they were, the words, and hashes of all of it.
func TestBundles(t *testing.T) {
	lora, path := golden.Path(t, "files", "lora.safetensors"), filepath.Join(t.TempDir(), "bundle.safetensors")
	words := []format.Embedding{{"blorp", kernel.FromF32([]float32{1, 2, 3}, 1, 3)}, {"zorbit", kernel.FromF32([]float32{4, 5, 6, 7, 8, 9}, 2, 3)}}
	if err := format.Bundle(path, lora, words); err != nil {
		t.Fatal(err)
	}
	f, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := format.BundledEmbeddings(f)
	if err != nil || len(got) != 2 {
		t.Fatalf("%d words (%v)", len(got), err)
	}
	for i, w := range words {
		if got[i].Word != w.Word || !cmp.Equal(got[i].Vectors.Shape, w.Vectors.Shape) || !cmp.Equal(got[i].Vectors.F32(), w.Vectors.F32()) {
			t.Errorf("%s came back as %q %v %v", w.Word, got[i].Word, got[i].Vectors.Shape, got[i].Vectors.F32())
		}
	}
	modules, err := format.ReadLoRA(f)
	if err != nil || len(modules) != 264 {
		t.Errorf("%d modules (%v)", len(modules), err)
	}
	if f.Metadata()["sshs_model_hash"] != f.ModelHash() {
		t.Error("the metadata has the hash of other tensors")
	}
	info, err := format.Inspect(path)
	if want := "It also holds the vectors of the word blorp."; err != nil || info.Kind != format.KindBundle || info.Note != want {
		t.Errorf("inspected as %q, %q (%v)", info.Kind, info.Note, err)
	}
	if err := format.Bundle(path, lora, []format.Embedding{{"v1.5", words[0].Vectors}}); engine.KindOf(err) != engine.BadInput {
		t.Errorf("a word with a dot: %v", err)
	}
}

func TestWhatIsNoBundledWord(t *testing.T) {
	row := kernel.FromF32([]float32{1, 2, 3}, 1, 3)
	for name, c := range map[string]struct {
		keys  []string
		value *kernel.Tensor
		kind  engine.Kind
	}{
		"SDXL":    {[]string{"bundle_emb.a.clip_g"}, row, engine.Unsupported},
		"twice":   {[]string{"bundle_emb.a.string_to_param.*", "bundle_emb.a.emb_params"}, row, engine.BadFile},
		"no name": {[]string{"bundle_emb."}, row, engine.BadFile},
		"a cube":  {[]string{"bundle_emb.a.emb_params"}, kernel.New(kernel.F32, 1, 1, 3), engine.BadFile},
	} {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		var tensors []format.Named
		for _, key := range c.keys {
			tensors = append(tensors, format.Named{Name: key, Tensor: c.value})
		}
		if err := format.Write(path, tensors, nil); err != nil {
			t.Fatal(err)
		}
		f, err := format.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := format.BundledEmbeddings(f); engine.KindOf(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
}
