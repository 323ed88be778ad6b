package format_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
)

func TestFolderOfGoldenModels(t *testing.T) {
	for _, model := range []string{"tiny-sd1", "tiny-sd2", "tiny-sdxl"} {
		d, err := format.OpenFolder(os.DirFS(golden.Path(t, model)))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"unet", "vae", "text_encoder"} {
			c, err := d.Component(name)
			if err != nil {
				t.Fatal(err)
			}
			config, err := os.ReadFile(golden.Path(t, model, name, "config.json"))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(config, c.Config) || len(c.Weights.Names()) == 0 || c.Class == "" {
				t.Errorf("%s %s: %d tensors, class %q, config %s", model, name, len(c.Weights.Names()), c.Class, c.Config)
			}
		}
		if raw, err := d.Scheduler(); err != nil || len(raw) == 0 {
			t.Errorf("%s: scheduler: %v", model, err)
		}
		if _, err := d.Component("safety_checker"); engine.KindOf(err) != engine.NotFound {
			t.Errorf("%s: absent component: %v", model, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

// one is a file of a single tensor.
func one(t *testing.T, name string, value float32) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	if err := format.Encode(&b, []format.Named{{Name: name, Tensor: kernel.FromF32([]float32{value}, 1)}}, nil); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

// pickled is the same as a PyTorch file.
func pickled(t *testing.T, name string, value float32) *fstest.MapFile {
	t.Helper()
	return &fstest.MapFile{Data: torchZip(stateDict(format.Named{Name: name, Tensor: kernel.FromF32([]float32{value}, 1)}))}
}

func text(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

func TestFolderWeights(t *testing.T) {
	const (
		whole = "diffusion_pytorch_model.safetensors"
		half  = "diffusion_pytorch_model.fp16.safetensors"
		index = whole + ".index.json"
		p1    = "diffusion_pytorch_model-00001-of-00002.safetensors"
		p2    = "diffusion_pytorch_model-00002-of-00002.safetensors"
		both  = `{"metadata":{"total_size":8},"weight_map":{"a":"` + p1 + `","b":"` + p2 + `"}}`
	)
	tests := []struct {
		name  string
		files fstest.MapFS
		want  map[string]float32
		kind  engine.Kind
	}{
		{"whole before half", fstest.MapFS{half: one(t, "a", 1), whole: one(t, "a", 2)}, map[string]float32{"a": 2}, 0},
		{"half alone", fstest.MapFS{half: one(t, "a", 1)}, map[string]float32{"a": 1}, 0},
		{"shards", fstest.MapFS{index: text(both), p1: one(t, "a", 1), p2: one(t, "b", 2)}, map[string]float32{"a": 1, "b": 2}, 0},
		{"shard missing", fstest.MapFS{index: text(both), p1: one(t, "a", 1)}, nil, engine.NotFound},
		{"tensor missing", fstest.MapFS{index: text(both), p1: one(t, "a", 1), p2: one(t, "c", 2)}, nil, engine.BadFile},
		{"tensor twice", fstest.MapFS{index: text(both), p1: one(t, "a", 1), p2: one(t, "a", 2)}, nil, engine.BadFile},
		{"shard elsewhere", fstest.MapFS{index: text(`{"weight_map":{"a":"../../etc/x"}}`)}, nil, engine.BadFile},
		{"index damaged", fstest.MapFS{index: text(`{"weight_map":3}`)}, nil, engine.BadFile},
		{"pickle", fstest.MapFS{"diffusion_pytorch_model.bin": pickled(t, "a", 1)}, map[string]float32{"a": 1}, 0},
		{"safetensors before pickle", fstest.MapFS{"diffusion_pytorch_model.bin": pickled(t, "a", 1), half: one(t, "a", 2)}, map[string]float32{"a": 2}, 0},
		{"pickle that is none", fstest.MapFS{"diffusion_pytorch_model.bin": text("PK")}, nil, engine.BadFile},
		{"nothing", fstest.MapFS{}, nil, engine.NotFound},
		{"damaged", fstest.MapFS{whole: text("xx")}, nil, engine.BadFile},
	}
	for _, test := range tests {
		fsys := fstest.MapFS{"model_index.json": text(`{"_class_name":"P","unet":["diffusers","U"],"n":true}`), "unet/config.json": text(`{}`)}
		for name, f := range test.files {
			fsys["unet/"+name] = f
		}
		d, err := format.OpenFolder(fsys)
		if err != nil {
			t.Fatal(err)
		}
		c, err := d.Component("unet")
		if test.want == nil {
			if engine.KindOf(err) != test.kind {
				t.Errorf("%s: %v, want kind %v", test.name, err, test.kind)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got := map[string]float32{}
		for _, name := range c.Weights.Names() {
			tensor, err := c.Weights.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			got[name] = tensor.F32()[0]
			if _, shape, ok := c.Weights.Info(name); !ok || !c.Weights.Has(name) || fmt.Sprint(shape) != "[1]" {
				t.Errorf("%s: %s has shape %v", test.name, name, shape)
			}
		}
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%s: %s", test.name, d)
		}
		if _, err := c.Weights.Tensor("none"); engine.KindOf(err) != engine.NotFound {
			t.Errorf("%s: absent tensor: %v", test.name, err)
		}
	}
}

func TestOpenFolderRefuses(t *testing.T) {
	for kind, fsys := range map[engine.Kind]fstest.MapFS{
		engine.NotFound: {},
		engine.BadFile:  {"model_index.json": text(`[]`)},
	} {
		if _, err := format.OpenFolder(fsys); engine.KindOf(err) != kind {
			t.Errorf("%v, want kind %v", err, kind)
		}
	}
	dir := t.TempDir()
	_, err := format.OpenFolder(os.DirFS(dir))
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte(filepath.Join(dir, "model_index.json"))) {
		t.Errorf("the error %v does not name the folder", err)
	}
}
