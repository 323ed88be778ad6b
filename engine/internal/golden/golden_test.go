package golden_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine/internal/golden"
)

// recorder is a testing.TB that counts errors instead of failing.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestCheckAcceptsTheStoredValuesAndRefusesOthers(t *testing.T) {
	f := golden.Open(t, "train/lora.safetensors")
	var name string
	for _, n := range f.Names() {
		if strings.HasPrefix(n, "grad/") {
			name = n
			break
		}
	}
	want := f.Tensor(name).F32()
	largest := 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	tol := f.Tolerance("", name)
	bound := tol.Rel*largest + tol.Abs0
	tests := []struct {
		name   string
		change func(v []float32) []float32
		bad    bool
	}{
		{"same", func(v []float32) []float32 { return v }, false},
		{"within", func(v []float32) []float32 { v[0] += float32(bound / 2); return v }, false},
		{"beyond", func(v []float32) []float32 { v[0] += float32(bound * 2); return v }, true},
		{"NaN", func(v []float32) []float32 { v[0] = float32(math.NaN()); return v }, true},
		{"short", func(v []float32) []float32 { return v[1:] }, true},
	}
	for _, test := range tests {
		r := &recorder{TB: t}
		f.Check(r, "grad", name, test.change(append([]float32(nil), want...)))
		if (len(r.errors) > 0) != test.bad {
			t.Errorf("%s: errors %q", test.name, r.errors)
		}
	}
}

func TestCheckAfterIsRelativeToTheUpdate(t *testing.T) {
	f := golden.Open(t, "train/lora.safetensors")
	checked := false
	for _, n := range f.Names() {
		module, ok := strings.CutPrefix(n, "after/")
		if !ok || !f.Has("init/"+module) {
			continue
		}
		checked = true
		want, init := f.Tensor(n).F32(), f.Tensor("init/"+module).F32()
		f.CheckAfter(t, "after", n, want, init)
		r := &recorder{TB: t}
		if f.CheckAfter(r, "", n, init, init); len(r.errors) == 0 {
			t.Fatalf("%s: values that were not trained pass", n)
		}
	}
	if !checked {
		t.Error("no tensor of group after")
	}
}

func TestEveryToleranceHasItsTensors(t *testing.T) {
	var all map[string]map[string]golden.Tolerance
	golden.JSON(t, "tolerances.json", &all)
	for name, groups := range all {
		if _, err := os.Stat(filepath.Join(golden.Dir(t), name)); err != nil {
			continue
		}
		f := golden.Open(t, name)
		used := map[string]bool{}
		for _, n := range f.Names() {
			used[n] = true
		}
		for _, c := range f.Cases() {
			used[c] = true
		}
		for g := range groups {
			if !used[g] {
				t.Errorf("%s: no tensor of group %q", name, g)
			}
		}
	}
}

func TestDirHonoursTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("EASEL_GOLDEN", dir)
	if got := golden.Dir(t); got != dir {
		t.Errorf("Dir = %s, want %s", got, dir)
	}
	t.Run("absent", func(t *testing.T) {
		golden.Open(t, "unet.safetensors")
		t.Error("a missing file did not skip the test")
	})
}

func TestIntsReadsTokenIds(t *testing.T) {
	f := golden.Open(t, "text.safetensors")
	ids := f.Ints("in/input_ids")
	for i, v := range f.Tensor("in/input_ids").F32() {
		if int(v) != ids[i] {
			t.Fatalf("id %d: %v as float, %d as int", i, v, ids[i])
		}
	}
}
