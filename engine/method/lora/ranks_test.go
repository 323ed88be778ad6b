package lora_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/internal/golden"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/method/lora"
)

// disturb gives all parameters values as if they had been trained, some far from where they began.
func disturb(tuning method.Tuning) {
	for k, p := range tuning.Parameters() {
		for i, v := 0, p.Value.F32(); i < len(v); i++ {
			v[i] = v[i]*1.2 + 0.1*float32(rng.Float64(1, k, rng.Init, uint64(i))-0.5)
		}
	}
}

// TestBlocksHaveRanksOfTheirOwn: the narrowest name counts, alpha follows the rank, and 0 is no layer.
func TestBlocksHaveRanksOfTheirOwn(t *testing.T) {
	settings := map[string]string{"rank": "4", "conv-rank": "3", "targets": "all", "text-encoder": "on",
		"block-ranks": "down=2, down.1.attentions=6, mid_block = 0,up.3=8,text.encoder.layers.0=1"}
	tuning, err := startJob(t, engine.Job{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := tuning.Export(path, "kohya", method.About{}, kernel.F32); err != nil {
		t.Fatal(err)
	}
	modules := readLoRA(t, path)
	for name, rank := range map[string]int{
		"lora_unet_down_blocks_0_attentions_0_proj_in": 2, "lora_unet_down_blocks_0_resnets_0_conv1": 2, "lora_unet_down_blocks_1_attentions_0_proj_in": 6,
		"lora_unet_down_blocks_1_resnets_0_conv1": 2, "lora_unet_up_blocks_3_resnets_0_conv1": 8, "lora_unet_up_blocks_1_resnets_0_conv1": 3,
		"lora_unet_up_blocks_1_attentions_0_proj_in": 4, "lora_te_text_model_encoder_layers_0_mlp_fc1": 1, "lora_te_text_model_encoder_layers_1_mlp_fc1": 4,
	} {
		if m := modules[name]; m.Name == "" || m.Rank() != rank || m.Alpha != float32(rank) {
			t.Errorf("%s is of rank %v and alpha %v, want %d", name, m.Down, m.Alpha, rank)
		}
	}
	for name := range modules {
		if strings.Contains(name, "mid_block") {
			t.Errorf("%s is there, though the middle block is to have none", name)
		}
	}
}

func TestBlocksThatCannotBe(t *testing.T) {
	for list, says := range map[string]string{"mid": "mid", "mid=many": "many", "mid=-1": "-1", "mid=513": "512", "centre=4": "centre", "down.9=4": "down_blocks.9"} {
		if _, err := startJob(t, engine.Job{Settings: map[string]string{"block-ranks": list}}); engine.KindOf(err) != engine.BadInput || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", list, err)
		}
	}
}

// TestRootScalingIsInTheFile: layers count alpha/√rank, and so they do for a program that divides the file's alpha by
// the rank.
func TestRootScalingIsInTheFile(t *testing.T) {
	tuning, err := startJob(t, engine.Job{Settings: map[string]string{"rank": "9", "alpha": "2", "conv-alpha": "2", "rs-lora": "on"}})
	if err != nil {
		t.Fatal(err)
	}
	disturb(tuning)
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := tuning.Export(path, "kohya", method.About{}, kernel.F32); err != nil {
		t.Fatal(err)
	}
	for name, m := range readLoRA(t, path) {
		if scale := float64(m.Alpha) / 9; math.Abs(scale-2/math.Sqrt(9)) > 1e-6 {
			t.Fatalf("%s counts %g, want 2/√9", name, scale)
		}
	}
	m, f := loadTiny(t), golden.Open(t, "files/lora.eps.safetensors")
	file, err := lora.Apply(m, path, 1)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the file", predict(t, m, file, f), predict(t, m, tuning, f), 1e-6)
}

// same compares ‖got-want‖ with rel·‖want‖.
func same(t *testing.T, what string, got, want []float32, rel float64) {
	t.Helper()
	if d := distance(got, want); d > rel*distance(want, make([]float32, len(want))) {
		t.Errorf("%s differs by %g", what, d)
	}
}

func distance(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		sum += (float64(v) - float64(b[i])) * (float64(v) - float64(b[i]))
	}
	return math.Sqrt(sum)
}
