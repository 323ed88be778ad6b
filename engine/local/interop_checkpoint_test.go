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

// TestCheckpointsLoadInDiffusers trains the built-in model's own weights and has diffusers load each form of file.
// bench/interop/checkpoint.sh sets up what it needs.
func TestCheckpointsLoadInDiffusers(t *testing.T) {
	python, lora, checkpoint := os.Getenv("EASEL_PYTHON"), os.Getenv("EASEL_LOAD_LORA"), os.Getenv("EASEL_LOAD_CHECKPOINT")
	if python == "" || lora == "" || checkpoint == "" {
		t.Skip("EASEL_PYTHON, EASEL_LOAD_LORA and EASEL_LOAD_CHECKPOINT are not set: run bench/interop/checkpoint.sh")
	}
	// Names of the original layout count two layers a block, which the built-in model does not have.
	for folder, forms := range map[string][]string{"../builtin/model": {"diffusers", "lora"}, "../../testdata/golden/tiny-sd1": {"checkpoint"}} {
		job := engine.Job{Method: "dreambooth", Model: folder, Images: "../../samples/zorbit", Word: "zorbit", Class: "monster toy",
			Out: filepath.Join(t.TempDir(), "out"), Steps: 5, Rate: 1e-3, SampleSteps: 2, Preserve: -1, Seed: 1, DType: "f32", Files: forms, Export: "f32",
			Settings: map[string]string{"train": "attention", "text-encoder": "off", "lora-rank": "64"}}
		result, err := newEngine(t).Train(context.Background(), job, ignore)
		if err != nil {
			t.Fatal(err)
		}
		compareElsewhere(t, python, map[string]string{"lora": lora, "checkpoint": checkpoint, "diffusers": checkpoint}, folder, forms, result.Exports)
	}
}

// compareElsewhere has a script for each form of file compare what the file does there with what it does here.
func compareElsewhere(t *testing.T, python string, scripts map[string]string, folder string, forms, files []string) {
	t.Helper()
	for i, form := range forms {
		x := filepath.Join(t.TempDir(), "x.safetensors")
		if err := format.Write(x, predict(t, folder, files[i]), nil); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(python, scripts[form], folder, files[i], x).CombinedOutput()
		t.Logf("%s: %s", form, out)
		if err != nil {
			t.Errorf("%s: %v", form, err)
		}
	}
}
