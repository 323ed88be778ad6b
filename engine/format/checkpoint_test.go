package format_test

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
)

func openCheckpoint(t *testing.T, elems ...string) *format.Checkpoint {
	t.Helper()
	c, err := format.OpenCheckpoint(golden.Path(t, elems...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestCheckpointEqualsFolder compares every tensor of the single files with the folder that was made of the same model.
func TestCheckpointEqualsFolder(t *testing.T) {
	for _, test := range []struct {
		model, file string
		half        bool // the file was rounded
	}{{"tiny-sd1", "tiny-sd1.safetensors", false}, {"tiny-sd1", "tiny-sd1-fp16.safetensors", true}, {"tiny-sd2", "tiny-sd2.safetensors", false}} {
		folder, err := format.OpenFolder(os.DirFS(golden.Path(t, test.model)))
		if err != nil {
			t.Fatal(err)
		}
		defer folder.Close()
		c := openCheckpoint(t, test.model, test.file)
		for _, part := range []string{"unet", "vae", "text_encoder"} {
			want, err := folder.Component(part)
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Component(part)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(slices.Sorted(slices.Values(want.Weights.Names())), slices.Sorted(slices.Values(got.Names()))); d != "" {
				t.Fatalf("%s %s: %s", test.file, part, d)
			}
			for _, name := range got.Names() {
				a, errA := want.Weights.Tensor(name)
				b, errB := got.Tensor(name)
				if errA != nil || errB != nil {
					t.Fatal(name, errA, errB)
				}
				if test.half {
					a = a.Convert(kernel.F16)
				}
				if a.DType != b.DType || !bytes.Equal(a.Data, b.Data[:len(a.Data)]) || !got.Has(name) || !b.Frozen {
					t.Errorf("%s %s: %s differs", test.file, part, name)
				}
				if _, shape, _ := got.Info(name); !cmp.Equal(shape, b.Shape) || kernel.Len(shape) != a.Len() {
					t.Errorf("%s %s: %s has shape %v, its tensor %v, the folder's %v", test.file, part, name, shape, b.Shape, a.Shape)
				}
			}
		}
		if _, err := c.Component("text_encoder_2"); engine.KindOf(err) != engine.NotFound {
			t.Errorf("absent component: %v", err)
		}
	}
}

// TestCheckpointBothWays takes a whole file apart by Refs and puts it together again.
func TestCheckpointBothWays(t *testing.T) {
	for _, elems := range [][]string{{"tiny-sd1", "tiny-sd1.safetensors"}, {"tiny-sd2", "tiny-sd2.safetensors"}} {
		c := openCheckpoint(t, elems...)
		unmapped := 0
		for _, own := range c.Names() {
			original, err := c.Tensor(own)
			if err != nil {
				t.Fatal(err)
			}
			again := kernel.New(original.DType, original.Shape...)
			refs := c.Refs(own)
			if len(refs) == 0 {
				unmapped++
				continue
			}
			for _, ref := range refs {
				if from, back, ok := c.Find(ref.Part, ref.Name); !ok || from != own || back != ref {
					t.Errorf("%s leads to %v, which leads to %s, %v", own, ref, from, back)
				}
				component, err := c.Component(ref.Part)
				if err != nil {
					t.Fatal(err)
				}
				tensor, err := component.Tensor(ref.Name)
				if err != nil {
					t.Fatal(err)
				}
				copy(ref.Rows(again).Data, tensor.Data)
			}
			if !bytes.Equal(original.Data, again.Data) {
				t.Errorf("%s is not the same again", own)
			}
		}
		// SD2's last text layer, text_projection and logit_scale.
		if want := map[string]int{"tiny-sd1": 0, "tiny-sd2": 12 + 2}[elems[0]]; unmapped != want {
			t.Errorf("%v: %d tensors are nothing to diffusers, want %d", elems, unmapped, want)
		}
		if _, _, ok := c.Find("unet", "nothing"); ok {
			t.Error("a name that is not there was found")
		}
	}
}
