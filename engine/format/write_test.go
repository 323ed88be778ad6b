package format_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
)

// tensorsOf are all of a file's tensors.
func tensorsOf(t *testing.T, f *format.File) []format.Named {
	t.Helper()
	var tensors []format.Named
	for _, name := range f.Names() {
		tensor, err := f.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, format.Named{Name: name, Tensor: tensor})
	}
	return tensors
}

// TestWriteRepeatsTheOfficialWriter reads files that safetensors' own writer made and writes them again.
func TestWriteRepeatsTheOfficialWriter(t *testing.T) {
	for _, name := range []string{
		"files/lora.safetensors", "files/ti-diffusers.safetensors", "files/locon.safetensors", "tiny-sd1/tiny-sd1-fp16.safetensors",
		"tiny-sd1/unet/diffusion_pytorch_model.safetensors", "tiny-sdxl/lora.safetensors", "vae.safetensors",
	} {
		path := golden.Path(t, filepath.FromSlash(name))
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := format.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		tensors := tensorsOf(t, f)
		slices.Reverse(tensors) // the order must not matter
		metadata := f.Metadata()
		if len(metadata) == 0 {
			metadata = nil
		}
		var got bytes.Buffer
		if err := format.Encode(&got, tensors, metadata); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: %d bytes differ from the official %d", name, got.Len(), len(want))
		}
		if hash := format.ModelHash(tensors); hash != f.ModelHash() {
			t.Errorf("%s: hash %s, want %s", name, hash, f.ModelHash())
		}
	}
}

func TestWriteThenOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	values := kernel.FromF32([]float32{1, -2, 3, 4, 5, 6}, 2, 3)
	tensors := []format.Named{
		{Name: "z", Tensor: values}, {Name: "b", Tensor: values.Convert(kernel.BF16)}, {Name: "h", Tensor: values.Convert(kernel.F16)},
		{Name: "odd \" \\ \n \x01 é", Tensor: kernel.FromF32([]float32{7})}, {Name: "none", Tensor: kernel.New(kernel.F32, 0, 3)},
	}
	metadata := map[string]string{"b": "<&> \u2028 \t", "a": `{"x":"1"}`}
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := format.Write(path, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	f, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if d := cmp.Diff(metadata, f.Metadata()); d != "" {
		t.Error(d)
	}
	for _, n := range tensors {
		got, err := f.Tensor(n.Name)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(n.Tensor.Floats(), got.Floats()); d != "" || got.DType != n.Tensor.DType || !cmp.Equal(n.Tensor.Shape, got.Shape) {
			t.Errorf("%q: %v %v: %s", n.Name, got.DType, got.Shape, d)
		}
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("the temporary file is still there: %v", files)
	}
}

func manyPairs(n int) map[string]string {
	pairs := map[string]string{}
	for i := range n {
		pairs[strconv.Itoa(i)] = ""
	}
	return pairs
}

func TestWriteRefuses(t *testing.T) {
	one := kernel.FromF32([]float32{1})
	tests := []struct {
		name     string
		tensors  []format.Named
		metadata map[string]string
	}{
		{"same name", []format.Named{{Name: "a", Tensor: one}, {Name: "a", Tensor: one}}, nil},
		{"reserved name", []format.Named{{Name: "__metadata__", Tensor: one}}, nil},
		{"name not UTF-8", []format.Named{{Name: "\xff", Tensor: one}}, nil},
		{"metadata not UTF-8", nil, map[string]string{"a": "\xff"}},
		{"too many metadata", nil, manyPairs(100_001)},
		{"header too large", nil, map[string]string{"a": strings.Repeat("x", 100_000_001)}},
	}
	for _, test := range tests {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := format.Write(path, test.tensors, test.metadata); engine.KindOf(err) != engine.BadInput {
			t.Errorf("%s: %v", test.name, err)
		}
		if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 0 {
			t.Errorf("%s: a file was left: %v", test.name, files)
		}
	}
}
