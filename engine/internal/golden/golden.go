// Package golden gives tests the numbers of the reference implementations: tensors, metadata and tolerances, as
// described in testdata/golden/README.md. A test whose file is absent is skipped and says so.
package golden

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine/format"
	"easel/engine/kernel"
)

// Dir is the folder of golden data: $EASEL_GOLDEN, else testdata/golden of the module around the working
// directory, else ../shared/golden beside the module. It skips the test where there is none.
func Dir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("EASEL_GOLDEN"); dir != "" {
		return dir
	}
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for !exists(filepath.Join(at, "go.mod")) {
		if filepath.Dir(at) == at {
			t.Skip("golden: no go.mod above the working directory; set EASEL_GOLDEN")
		}
		at = filepath.Dir(at)
	}
	for _, dir := range []string{filepath.Join(at, "testdata", "golden"), filepath.Join(at, "..", "shared", "golden")} {
		if exists(dir) {
			return dir
		}
	}
	t.Skip("golden: neither testdata/golden nor ../shared/golden is there; set EASEL_GOLDEN")
	return ""
}

// Path joins elems to Dir, and skips the test where that file or folder is absent.
func Path(t testing.TB, elems ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{Dir(t)}, elems...)...)
	if !exists(path) {
		t.Skipf("golden: %s is absent", path)
	}
	return path
}

// JSON decodes a JSON file of Dir into v.
func JSON(t testing.TB, name string, v any) {
	t.Helper()
	text, err := os.ReadFile(Path(t, name))
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil {
		t.Fatalf("golden: %s: %v", name, err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// File is one safetensors file of golden numbers.
type File struct {
	t          testing.TB
	name       string
	file       *format.File
	tolerances map[string]Tolerance
}

// Open opens a file such as "unet.safetensors" or "train/lora.safetensors" for the time of the test.
func Open(t testing.TB, name string) *File {
	t.Helper()
	file, err := format.Open(Path(t, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	var all map[string]map[string]Tolerance
	JSON(t, "tolerances.json", &all)
	return &File{t: t, name: name, file: file, tolerances: all[name]}
}

// Names lists the tensors.
func (f *File) Names() []string { return f.file.Names() }

// Has says whether there is a tensor of that name.
func (f *File) Has(name string) bool { return f.file.Has(name) }

// Meta is the file's metadata; values that are not texts are JSON ("0.001", "[0.9, 0.999]").
func (f *File) Meta() map[string]string { return f.file.Metadata() }

// Cases lists the distinct parts of the names before the first "/", in the order of Names.
func (f *File) Cases() []string {
	var cases []string
	seen := map[string]bool{}
	for _, name := range f.Names() {
		if c, _, ok := strings.Cut(name, "/"); ok && !seen[c] {
			seen[c] = true
			cases = append(cases, c)
		}
	}
	return cases
}

// Tensor returns a tensor as float32, integers too, in memory of its own. The test fails where it is missing.
func (f *File) Tensor(name string) *kernel.Tensor {
	f.t.Helper()
	return f.stored(name).Convert(kernel.F32)
}

// Ints returns the elements of an integer tensor, such as token ids or timesteps.
func (f *File) Ints(name string) []int {
	f.t.Helper()
	stored := f.stored(name)
	if stored.DType != kernel.I32 {
		f.t.Fatalf("golden: %s: %s holds %v, not integers", f.name, name, stored.DType)
	}
	ints := make([]int, stored.Len())
	for i, v := range stored.I32() {
		ints[i] = int(v)
	}
	return ints
}

func (f *File) stored(name string) *kernel.Tensor {
	f.t.Helper()
	stored, err := f.file.Tensor(name)
	if err != nil {
		f.t.Fatalf("golden: %v", err)
	}
	return stored
}
