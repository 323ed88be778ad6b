package blip_test

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"easel/engine"
	"easel/engine/builtin"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/model/blip"
)

func TestParseConfig(t *testing.T) {
	// As BLIP base's file was before April 2023, with 8 heads, which is wrong.
	c, err := blip.ParseConfig([]byte(`{"text_config":{"num_attention_heads":8},"vision_config":{"hidden_size":1024,"num_hidden_layers":24,"num_attention_heads":16,"intermediate_size":4096}}`))
	if err != nil || c.Text.Heads != 12 || c.Vision.Tokens() != 577 || c.Text.Begin != 30522 || c.Text.End != 102 {
		t.Errorf("%+v, %v", c, err)
	}
	for name, bad := range map[string]string{
		"no JSON": `{`, "width": `{"vision_config":{"hidden_size":100}}`, "patches": `{"vision_config":{"patch_size":7}}`, "huge": `{"vision_config":{"image_size":1000000}}`,
		"layers": `{"text_config":{"num_hidden_layers":100000}}`, "words": `{"text_config":{"vocab_size":2000000000}}`, "end": `{"text_config":{"sep_token_id":-1}}`,
		"begin": `{"text_config":{"bos_token_id":30524}}`, "zero": `{"vision_config":{"patch_size":0}}`,
	} {
		if _, err := blip.ParseConfig([]byte(bad)); engine.KindOf(err) != engine.BadFile {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := blip.ParseConfig([]byte(`{"text_config":{"hidden_act":"relu"}}`)); engine.KindOf(err) != engine.Unsupported {
		t.Errorf("activation: %v", err)
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{"text_config":{"num_attention_heads":8},"vision_config":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if c, err := blip.ParseConfig(text); err == nil && c.Vision.Tokens() < 2 {
			t.Errorf("%+v", c)
		}
	})
}

// asked remembers the shapes that a builder asks for.
type asked map[string][]int

func (a asked) Tensor(name string, shape ...int) (*kernel.Tensor, error) {
	a[name] = shape
	return &kernel.Tensor{Shape: shape, Frozen: true}, nil
}

// TestNamesAndShapes: the graphs of base and large ask for exactly the published files' tensors.
func TestNamesAndShapes(t *testing.T) {
	base, large := blip.Base(), blip.Base()
	large.Vision.HiddenSize, large.Vision.IntermediateSize, large.Vision.Layers, large.Vision.Heads = 1024, 4096, 24, 16
	for file, c := range map[string]blip.Config{"blip_base_keys": base, "blip_large_keys": large} {
		a := asked{}
		m := blip.New(c, nil, a)
		g := graph.New()
		layers := m.BuildContext(g, m.BuildVision(g, g.Input("image", 1, 384, 384, 3)))
		for i := range layers {
			layers[i].Keys, layers[i].Values = g.Input(fmt.Sprint("keys", i), 1, 8, 768), g.Input(fmt.Sprint("values", i), 1, 8, 768)
		}
		if m.BuildDecoder(g, g.Indices("ids", 1, 2), g.Indices("positions", 1, 2), layers); g.Err() != nil {
			t.Fatal(g.Err())
		}
		want := keys(t, file)
		delete(want, "text_decoder.cls.predictions.bias") // the decoder's again
		for name, shape := range want {
			if got := strings.Trim(strings.ReplaceAll(fmt.Sprint(a[name]), " ", "x"), "[]"); got != shape {
				t.Errorf("%s: %s has shape %s, want %s", file, name, got, shape)
			}
		}
		if len(a) != len(want) {
			t.Errorf("%s: %d tensors are asked for, want %d", file, len(a), len(want))
		}
	}
}

func keys(t *testing.T, name string) map[string]string {
	t.Helper()
	path := filepath.Join(golden.Dir(t), "..", "spec", "keys", name+".tsv")
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join("../../../../shared/spec/keys", name+".tsv")
	}
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("%s is absent", path)
	}
	defer f.Close()
	all := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		key, shape, _ := strings.Cut(s.Text(), "\t")
		all[key] = strings.TrimSpace(shape)
	}
	return all
}

func TestBuiltinOpens(t *testing.T) {
	m, err := blip.Load(builtin.Captioner())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	begin, okBegin := m.Words.ID("[DEC]")
	end, okEnd := m.Words.ID("[SEP]")
	if !okBegin || !okEnd || begin != m.Text.Begin || end != m.Text.End || m.Words.Len() != m.Text.VocabSize {
		t.Errorf("begin %d %d, end %d %d, %d words of %d", begin, m.Text.Begin, end, m.Text.End, m.Words.Len(), m.Text.VocabSize)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := golden.Path(t, "blip")
	small := fstest.MapFS{}
	for _, name := range []string{"config.json", "model.safetensors"} {
		data, err := fs.ReadFile(builtin.Captioner(), name)
		if err != nil {
			t.Fatal(err)
		}
		small[name] = &fstest.MapFile{Data: data}
	}
	if _, err := blip.Load(small); engine.KindOf(err) != engine.NotFound || !strings.Contains(err.Error(), "vocab.txt") {
		t.Errorf("without a vocabulary of its own: %v", err)
	}
	small["vocab.txt"] = &fstest.MapFile{Data: []byte("[UNK]\na\n")}
	if _, err := blip.Load(small); engine.KindOf(err) != engine.BadFile {
		t.Errorf("with another model's vocabulary: %v", err)
	}
	// A single file of an odd width does not tell its heads.
	raw, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	alone := filepath.Join(t.TempDir(), "model.safetensors")
	if err := os.WriteFile(alone, raw, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := blip.Open(alone); engine.KindOf(err) != engine.Unsupported || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("without config.json: %v", err)
	}
	if _, err := blip.Open(filepath.Join(dir, "none")); engine.KindOf(err) != engine.NotFound {
		t.Errorf("nothing there: %v", err)
	}
}
