package format_test

import (
	"archive/zip"
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/format/pickle"
	"easel/engine/kernel"
)

// TestWriteTorch reads back a file of the form of A1111's hypernetworks. That torch reads it too, bench/interop shows.
func TestWriteTorch(t *testing.T) {
	half := kernel.FromF32([]float32{0.5, -2}, 2).Convert(kernel.F16)
	state, root := &pickle.Dict{}, &pickle.Dict{}
	state.Set("linear.0.weight", kernel.FromF32([]float32{1, 2, 3, 4, 5, 6}, 2, 3))
	state.Set("linear.0.bias", half)
	root.Set(3, pickle.Tuple{state, &pickle.Dict{}})
	root.Set("step", 7)
	root.Set("is_layer_norm", false)
	root.Set("layer_structure", &pickle.List{Items: []any{1, 2.5, 1}})
	root.Set("sd_checkpoint", nil)
	path := filepath.Join(t.TempDir(), "x.pt")
	if err := format.WriteTorch(path, root); err != nil {
		t.Fatal(err)
	}
	f, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, errW := f.Tensor("3.0.linear.0.weight")
	b, errB := f.Tensor("3.0.linear.0.bias")
	if errW != nil || errB != nil || len(f.Names()) != 2 {
		t.Fatal(errW, errB, f.Names())
	}
	if d := cmp.Diff([]float32{1, 2, 3, 4, 5, 6}, w.F32()); d != "" || !cmp.Equal(w.Shape, []int{2, 3}) {
		t.Errorf("weight %v: %s", w.Shape, d)
	}
	if d := cmp.Diff([]float32{0.5, -2}, b.Floats()); d != "" || b.DType != kernel.F16 {
		t.Errorf("bias of %v: %s", b.DType, d)
	}
	if d := cmp.Diff(map[string]string{"step": "7", "is_layer_norm": "False", "layer_structure": "[1, 2.5, 1]"}, f.Metadata()); d != "" {
		t.Error(d)
	}
	if info, err := format.Inspect(path); err != nil || info.Kind != format.KindHypernetwork {
		t.Errorf("it looks like %v, %v", info.Kind, err)
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var names []string
	for _, m := range z.File {
		names = append(names, m.Name)
	}
	// A1111 refuses files with other members (modules/safe.py).
	if d := cmp.Diff([]string{"archive/data.pkl", "archive/data/0", "archive/data/1", "archive/version"}, names); d != "" {
		t.Error(d)
	}
}

func TestWriteTorchRefuses(t *testing.T) {
	for _, c := range []struct {
		value any
		kind  engine.Kind
	}{
		{struct{}{}, engine.BadInput},
		{kernel.FromF32([]float32{1, float32(math.NaN())}, 2), engine.NaN},
		{kernel.FromF32([]float32{1e6}, 1).Convert(kernel.F16), engine.NaN},
	} {
		path := filepath.Join(t.TempDir(), "x.pt")
		if err := format.WriteTorch(path, c.value); engine.KindOf(err) != c.kind {
			t.Errorf("%v: %v", c.value, err)
		}
		if _, err := format.Open(path); engine.KindOf(err) != engine.NotFound {
			t.Errorf("%v left a file: %v", c.value, err)
		}
	}
	if err := format.WriteTorch(filepath.Join(t.TempDir(), "absent", "x.pt"), nil); engine.KindOf(err) != engine.BadFile {
		t.Errorf("an absent folder: %v", err)
	}
}
