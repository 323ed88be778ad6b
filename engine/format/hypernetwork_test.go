package format_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/format/pickle"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
)

// counting is a tensor of 1, 2, 3, ...
func counting(shape ...int) *kernel.Tensor {
	t := kernel.New(kernel.F32, shape...)
	for i := range t.F32() {
		t.F32()[i] = float32(i + 1)
	}
	return t
}

func readHypernetwork(t *testing.T, path string) ([]format.HypernetworkModule, error) {
	t.Helper()
	f, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return format.ReadHypernetwork(f)
}

// TestHypernetworksReadBack: with activations, layer norms and biases; a bias that is absent comes back as 0.
func TestHypernetworksReadBack(t *testing.T) {
	for _, activation := range []string{"linear", "mish"} {
		written := ""
		if activation != "linear" {
			written = activation
		}
		var modules []format.HypernetworkModule
		for _, side := range []string{"k", "v"} {
			modules = append(modules, format.HypernetworkModule{Width: 3, Side: side, Layers: []format.HypernetworkLayer{
				{Weight: counting(6, 3), Bias: counting(6), Activation: written, Gamma: counting(6), Beta: counting(6)}, {Weight: counting(3, 6), Gamma: counting(3), Beta: counting(3)}}})
		}
		path := filepath.Join(t.TempDir(), "x.pt")
		meta := format.HypernetworkMeta{Name: "x", Steps: 9, Structure: []float64{1, 2, 1}, Activation: activation, Init: "Normal", LayerNorm: true}
		if err := format.WriteHypernetwork(path, modules, meta, kernel.F32); err != nil {
			t.Fatal(err)
		}
		got, err := readHypernetwork(t, path)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range modules {
			m.Layers[0].Activation = activation
			m.Layers[1].Bias = kernel.New(kernel.F32, 3)
			if got[i].Name() != m.Name() || len(got[i].Layers) != 2 {
				t.Fatalf("%s has %d layers", got[i].Name(), len(got[i].Layers))
			}
			for j, want := range m.Layers {
				have := got[i].Layers[j]
				if have.Activation != want.Activation {
					t.Errorf("layer %d has the activation %q, want %q", j, have.Activation, want.Activation)
				}
				for k, pair := range [][2]*kernel.Tensor{{want.Weight, have.Weight}, {want.Bias, have.Bias}, {want.Gamma, have.Gamma}, {want.Beta, have.Beta}} {
					if diff := cmp.Diff(pair[0].F32(), pair[1].F32()); diff != "" {
						t.Errorf("layer %d, tensor %d: %s", j, k, diff)
					}
				}
			}
		}
	}
}

// TestOldHypernetworks have other names, and an activation behind the last layer where they do not say otherwise.
func TestOldHypernetworks(t *testing.T) {
	state, root := &pickle.Dict{}, &pickle.Dict{}
	state.Set("linear1.weight", counting(6, 3))
	state.Set("linear1.bias", counting(6))
	state.Set("linear2.weight", counting(3, 6))
	state.Set("linear2.bias", counting(3))
	root.Set(3, pickle.Tuple{state, state})
	root.Set("activation_func", "relu")
	path := filepath.Join(t.TempDir(), "x.pt")
	if err := format.WriteTorch(path, root); err != nil {
		t.Fatal(err)
	}
	modules, err := readHypernetwork(t, path)
	if err != nil || len(modules) != 2 || len(modules[0].Layers) != 2 || modules[0].Layers[1].Activation != "relu" {
		t.Errorf("%v, %v", modules, err)
	}
}

func TestHypernetworksRefused(t *testing.T) {
	for name, c := range map[string]struct {
		tensors map[string]*kernel.Tensor
		says    string
	}{
		"nothing":       {map[string]*kernel.Tensor{"a": counting(1)}, "no networks"},
		"one side":      {map[string]*kernel.Tensor{"3.0.linear.0.weight": counting(3, 3)}, "one is missing"},
		"other width":   {map[string]*kernel.Tensor{"3.0.linear.0.weight": counting(3, 4), "3.1.linear.0.weight": counting(3, 3)}, "does not fit"},
		"other result":  {map[string]*kernel.Tensor{"3.0.linear.0.weight": counting(4, 3), "3.1.linear.0.weight": counting(4, 3)}, "makes 4 numbers"},
		"norm in front": {map[string]*kernel.Tensor{"3.0.linear.0.weight": counting(3), "3.1.linear.0.weight": counting(3)}, "does not fit"},
		"bias alone":    {map[string]*kernel.Tensor{"3.0.linear.0.bias": counting(3), "3.1.linear.0.bias": counting(3)}, "no weight"},
		"other bias":    {map[string]*kernel.Tensor{"3.0.linear.0.weight": counting(3, 3), "3.0.linear.0.bias": counting(2), "3.1.linear.0.weight": counting(3, 3)}, "does not fit"},
	} {
		var tensors []format.Named
		for n, v := range c.tensors {
			tensors = append(tensors, format.Named{Name: n, Tensor: v})
		}
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := format.Write(path, tensors, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := readHypernetwork(t, path); engine.KindOf(err) != engine.BadFile || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzHypernetwork(f *testing.F) {
	for _, name := range []string{"hyper_a_linear.pt", "hyper_a_swish.pt"} {
		data, err := os.ReadFile(golden.Path(f, "files", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := format.Parse(data)
		if err != nil {
			return
		}
		modules, err := format.ReadHypernetwork(file)
		if err != nil {
			return
		}
		for _, m := range modules {
			width := m.Width
			for _, l := range m.Layers {
				if l.Weight.Shape[1] != width {
					t.Errorf("%s: a layer of shape %v gets %d numbers", m.Name(), l.Weight.Shape, width)
				}
				width = l.Weight.Shape[0]
			}
			if width != m.Width || len(m.Layers) == 0 {
				t.Errorf("%s makes %d numbers in %d layers", m.Name(), width, len(m.Layers))
			}
		}
	})
}
