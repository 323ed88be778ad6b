package format_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
)

// fullSize are the shapes of a published model's weights by kohya's names, from tables of its UNet and text encoder.
func fullSize(t *testing.T, unet, text string) map[string][]int {
	t.Helper()
	weights := map[string][]int{}
	add := func(component, name, dims string) {
		var shape []int
		if err := json.Unmarshal([]byte(dims), &shape); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if target := format.LoRATarget(component, name, false); target != "" {
			weights[target] = shape
		}
	}
	for _, row := range keys(t, unet) {
		add("unet", row[1], row[2])
	}
	for _, row := range keys(t, text) {
		add("text_encoder", row[0], row[1])
	}
	return weights
}

// TestRealLoRAsFitTheirModel and no other: the error names both in one sentence.
func TestRealLoRAsFitTheirModel(t *testing.T) {
	sd1, sd2 := fullSize(t, "sd1_unet", "clip_l_text"), fullSize(t, "sd2_unet", "sd2_text_hf23")
	for _, name := range []string{"lora_disney.safetensors", "analog_svd_rank4.safetensors", "converted/lora_disney.kohya.safetensors", "lora_kiriko2.text_encoder.pt"} {
		f, err := format.Open(filepath.Join(fixtures(t), "cloneofsimo-lora", name))
		if err != nil {
			t.Skip(err)
		}
		defer f.Close()
		modules, err := format.ReadLoRA(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := format.FitLoRA(f, modules, sd1, "SD1"); err != nil {
			t.Error(err)
		}
		err = format.FitLoRA(f, modules, sd2, "SD2")
		if engine.KindOf(err) != engine.BadFile || !strings.Contains(err.Error(), "another model (SD1; this one is SD2)") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoRAOrigin(t *testing.T) {
	for file, want := range map[string]string{"files/lora.safetensors": "SD1", "tiny-sd2/lora.safetensors": "SD2", "tiny-sdxl/lora.safetensors": "SDXL",
		"unet.safetensors": "of an unknown family"} {
		f, err := format.Open(golden.Path(t, filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if got := format.LoRAOrigin(f); got != want {
			t.Errorf("%s was made for %q, want %q", file, got, want)
		}
	}
}
