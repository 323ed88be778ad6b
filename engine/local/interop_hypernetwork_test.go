package local_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"easel/engine"
	"easel/engine/format"
)

// TestHypernetworksLoadElsewhere trains hypernetworks of each kind on the built-in model and has Python compare what their
// files do there with what they do here. bench/interop/hypernetwork.sh sets up what it needs.
func TestHypernetworksLoadElsewhere(t *testing.T) {
	python := os.Getenv("EASEL_PYTHON")
	scripts := map[string]string{"lora": os.Getenv("EASEL_LOAD_LORA"), "a1111": os.Getenv("EASEL_LOAD_HYPERNETWORK")}
	if python == "" || scripts["lora"] == "" || scripts["a1111"] == "" {
		t.Skip("EASEL_PYTHON, EASEL_LOAD_LORA and EASEL_LOAD_HYPERNETWORK are not set: run bench/interop/hypernetwork.sh")
	}
	eng := newEngine(t)
	folder := "../builtin/model"
	for name, c := range map[string]struct {
		settings map[string]string
		files    []string
	}{
		"generator":           {map[string]string{"text-encoder": "off", "rank": "2"}, []string{"lora"}},
		"linear without bias": {map[string]string{"kind": "classic", "bias": "off"}, []string{"lora", "a1111"}},
		"mish, deep":          {map[string]string{"kind": "classic", "structure": "1,0.5,2,1", "activation": "mish", "widths": "all"}, []string{"a1111"}},
		"swish, layer norm":   {map[string]string{"kind": "classic", "activation": "swish", "layer-norm": "on", "init": "Normal", "dropout": "0,0.3,0"}, []string{"a1111"}},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := eng.Train(context.Background(), engine.Job{Method: "hypernetwork", Model: folder, Images: "../../samples/zorbit", Word: "zorbit",
				Class: "monster toy", Out: filepath.Join(t.TempDir(), "out"), Steps: 10, Rate: 1e-2, SampleSteps: 2, Preserve: -1, Seed: 1, Settings: c.settings, Files: c.files}, ignore)
			if err != nil {
				t.Fatal(err)
			}
			for i, form := range c.files {
				x := filepath.Join(t.TempDir(), "x.safetensors")
				if err := format.Write(x, predict(t, folder, result.Exports[i]), nil); err != nil {
					t.Fatal(err)
				}
				out, err := exec.Command(python, scripts[form], folder, result.Exports[i], x).CombinedOutput()
				t.Logf("%s: %s", form, out)
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
