package format_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
)

var loraMeta = format.LoRAMeta{
	Base: format.BaseSD1, BaseModel: "v1-5.safetensors", OutputName: "mycat", LearningRate: 1e-4, UNetRate: 1e-4, TextRate: 5e-5,
	Optimizer: "AdamW", Steps: 90, MaxSteps: 100, Seed: 42, Width: 512, Height: 512, Images: 120, Trigger: "sks cat",
	Started: time.Unix(1700000000, 500e6), Finished: time.Unix(1700000100, 0),
	Datasets: []format.LoRADataset{{Name: "10_sks cat", Repeats: 10, Images: 12, Tags: map[string]int{"sks cat": 10}}},
	Buckets:  []format.LoRABucket{{Width: 512, Height: 512, Images: 120}},
}

func readLoRA(t *testing.T, path string) []format.LoRAModule {
	t.Helper()
	f, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	modules, err := format.ReadLoRA(f)
	if err != nil {
		t.Fatal(err)
	}
	return modules
}

func TestLoRAExportThenRead(t *testing.T) {
	for _, name := range []string{"lora", "locon", "hyper_b.lora", "hyper_a_linear_nobias.lora"} {
		original := golden.Path(t, "files", name+".safetensors")
		modules := readLoRA(t, original)
		path := filepath.Join(t.TempDir(), "out.safetensors")
		if err := format.WriteLoRA(path, modules, loraMeta, kernel.F32); err != nil {
			t.Fatal(err)
		}
		wantModules(t, modules, path)
		a, _ := format.Open(original)
		defer a.Close()
		b, _ := format.Open(path)
		defer b.Close()
		if a.ModelHash() != b.ModelHash() {
			t.Errorf("%s: the tensors lie otherwise than in the original", name)
		}
		if b.Metadata()["sshs_model_hash"] != b.ModelHash() {
			t.Errorf("%s: sshs_model_hash %s, want %s", name, b.Metadata()["sshs_model_hash"], b.ModelHash())
		}
		for _, key := range []string{"ss_network_dim", "ss_network_alpha"} {
			if want := a.Metadata()[key]; want != "" && b.Metadata()[key] != want {
				t.Errorf("%s: %s = %q, want %q", name, key, b.Metadata()[key], want)
			}
		}
	}
}

func TestLoRAMetadata(t *testing.T) {
	module := format.LoRAModule{Name: "lora_unet_a", Down: kernel.New(kernel.F32, 4, 8), Up: kernel.New(kernel.F32, 6, 4), Alpha: 2}
	conv := format.LoRAModule{Name: "lora_unet_b", Down: kernel.New(kernel.F32, 3, 8, 3, 3), Up: kernel.New(kernel.F32, 6, 3, 1, 1), Alpha: 1}
	path := filepath.Join(t.TempDir(), "mycat.safetensors")
	if err := format.WriteLoRA(path, []format.LoRAModule{module, conv}, loraMeta, kernel.F16); err != nil {
		t.Fatal(err)
	}
	f, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := f.Metadata()
	want := map[string]string{
		"ss_network_module": "networks.lora", "ss_network_dim": "4", "ss_network_alpha": "2.0", "ss_network_args": `{"conv_alpha":"1.0","conv_dim":"3"}`,
		"ss_base_model_version": "sd_v1", "ss_v2": "False", "ss_sd_model_name": "v1-5.safetensors", "ss_output_name": "mycat",
		"ss_learning_rate": "0.0001", "ss_unet_lr": "0.0001", "ss_text_encoder_lr": "5e-05", "ss_optimizer": "AdamW",
		"ss_steps": "90", "ss_max_train_steps": "100", "ss_seed": "42", "ss_num_train_images": "120", "ss_resolution": "(512, 512)",
		"ss_training_started_at": "1700000000.500000", "ss_training_finished_at": "1700000100.000000",
		"ss_dataset_dirs":          `{"10_sks cat":{"img_count":12,"n_repeats":10}}`,
		"ss_tag_frequency":         `{"10_sks cat":{"sks cat":10}}`,
		"modelspec.sai_model_spec": "1.0.1", "modelspec.architecture": "stable-diffusion-v1/lora", "modelspec.implementation": "diffusers",
		"modelspec.title": "mycat", "modelspec.resolution": "512x512", "modelspec.prediction_type": "epsilon",
		"modelspec.date": "2023-11-14T22:15:00", "modelspec.trigger_phrase": "sks cat", "format": "pt",
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s = %q, want %q", key, got[key], value)
		}
	}
	for _, key := range []string{"ss_bucket_info", "ss_tag_frequency", "ss_dataset_dirs"} {
		var parsed map[string]any
		if err := json.Unmarshal([]byte(got[key]), &parsed); err != nil || got[key][0] != '{' {
			t.Errorf("%s is no JSON object: %s", key, got[key])
		}
	}
	if dtype, shape, ok := f.Info("lora_unet_a.alpha"); dtype != "F16" || len(shape) != 0 || !ok {
		t.Errorf("alpha is %s %v", dtype, shape)
	}
}

// TestLegacyHashOfALargeFile takes the bytes that kohya hashes out of a file that it would have made.
func TestLegacyHashOfALargeFile(t *testing.T) {
	down := make([]float32, 1<<19)
	for i := range down {
		down[i] = float32(i % 1013)
	}
	module := format.LoRAModule{Name: "lora_unet_a", Down: kernel.FromF32(down, 4, len(down)/4), Up: kernel.New(kernel.F32, 6, 4), Alpha: 2}
	dir := t.TempDir()
	path := filepath.Join(dir, "out.safetensors")
	if err := format.WriteLoRA(path, []format.LoRAModule{module}, loraMeta, kernel.F32); err != nil {
		t.Fatal(err)
	}
	f, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	only := map[string]string{}
	for key, value := range f.Metadata() {
		if strings.HasPrefix(key, "ss_") {
			only[key] = value
		}
	}
	first := filepath.Join(dir, "first.safetensors")
	if err := format.Write(first, tensorsOf(t, f), only); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b[0x100000:0x110000])
	if got, want := f.Metadata()["sshs_legacy_hash"], hex.EncodeToString(sum[:])[:8]; got != want {
		t.Errorf("sshs_legacy_hash %s, want %s", got, want)
	}
}

func TestWriteLoRARefuses(t *testing.T) {
	good := func() format.LoRAModule {
		return format.LoRAModule{Name: "lora_te_a", Down: kernel.New(kernel.F32, 4, 8), Up: kernel.New(kernel.F32, 6, 4), Alpha: 2}
	}
	change := func(f func(*format.LoRAModule)) []format.LoRAModule {
		m := good()
		f(&m)
		return []format.LoRAModule{m}
	}
	tests := []struct {
		name    string
		modules []format.LoRAModule
		base    string
		dtype   kernel.DType
		kind    engine.Kind
	}{
		{"no modules", nil, format.BaseSD1, kernel.F32, engine.BadInput},
		{"foreign prefix", change(func(m *format.LoRAModule) { m.Name = "bundle_emb_x" }), format.BaseSD1, kernel.F32, engine.BadInput},
		{"dot in the name", change(func(m *format.LoRAModule) { m.Name = "lora_te_a.b" }), format.BaseSD1, kernel.F32, engine.BadInput},
		{"ranks differ", change(func(m *format.LoRAModule) { m.Up = kernel.New(kernel.F32, 6, 3) }), format.BaseSD1, kernel.F32, engine.BadInput},
		{"no up", change(func(m *format.LoRAModule) { m.Up = nil }), format.BaseSD1, kernel.F32, engine.BadInput},
		{"NaN", change(func(m *format.LoRAModule) { m.Up.F32()[3] = float32(math.NaN()) }), format.BaseSD1, kernel.F32, engine.NaN},
		{"beyond float16", change(func(m *format.LoRAModule) { m.Up.F32()[3] = 1e6 }), format.BaseSD1, kernel.F16, engine.NaN},
		{"same name twice", []format.LoRAModule{good(), good()}, format.BaseSD1, kernel.F32, engine.BadInput},
		{"no family", change(func(*format.LoRAModule) {}), "", kernel.F32, engine.BadInput},
		{"integers", change(func(*format.LoRAModule) {}), format.BaseSD1, kernel.I32, engine.BadInput},
	}
	for _, test := range tests {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		meta := loraMeta
		meta.Base = test.base
		if err := format.WriteLoRA(path, test.modules, meta, test.dtype); engine.KindOf(err) != test.kind {
			t.Errorf("%s: %v, want kind %v", test.name, err, test.kind)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a file was written", test.name)
		}
	}
}

func TestReadLoRARefusesOtherAdapters(t *testing.T) {
	down, up := kernel.New(kernel.F32, 4, 8), kernel.New(kernel.F32, 6, 4)
	tests := []struct {
		name, key string
		kind      engine.Kind
		says      string
	}{
		{"DoRA of another layer", "lora_unet_a.dora_scale", engine.BadFile, "magnitude of shape [24] does not fit"},
		{"CP", "lora_unet_a.lora_mid.weight", engine.Unsupported, "CP"},
		{"LoHa", "lora_unet_a.hada_w1_a", engine.Unsupported, "LoHa"},
		{"LoKr", "lora_unet_a.lokr_w1", engine.Unsupported, "LoKr"},
		{"OFT", "lora_unet_a.oft_diag", engine.Unsupported, "OFT"},
		{"GLoRA", "lora_unet_a.a1.weight", engine.Unsupported, "GLoRA"},
		{"peft of a language model", "base_model.model.model.layers.0.q_proj.lora_A.weight", engine.Unsupported, "does not belong"},
		{"the same part twice", "unet.a.lora_A.weight", engine.BadFile, "same part"},
		{"stray tensor", "model.weight", engine.Unsupported, "does not belong"},
		{"half a module", "lora_unet_b.lora_up.weight", engine.BadFile, "missing"},
	}
	for _, test := range tests {
		path := filepath.Join(t.TempDir(), "other.safetensors")
		err := format.Write(path, []format.Named{{Name: "lora_unet_a.lora_down.weight", Tensor: down}, {Name: "lora_unet_a.lora_up.weight", Tensor: up}, {Name: test.key, Tensor: up}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := format.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, err = format.ReadLoRA(f)
		if engine.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestMissingAlphaIsTheRank(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	err := format.Write(path, []format.Named{{Name: "lora_unet_a.lora_down.weight", Tensor: kernel.New(kernel.F32, 4, 8)}, {Name: "lora_unet_a.lora_up.weight", Tensor: kernel.New(kernel.F32, 6, 4)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m := readLoRA(t, path); m[0].Alpha != 4 || m[0].Rank() != 4 {
		t.Errorf("alpha %v, rank %d", m[0].Alpha, m[0].Rank())
	}
}

// TestKohyaNames rebuilds the names of golden files from the module paths of the same model.
func TestKohyaNames(t *testing.T) {
	d, err := format.OpenFolder(os.DirFS(golden.Path(t, "tiny-sd1")))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	known := map[string]bool{}
	for component, prefix := range map[string]string{"unet": "lora_unet_", "text_encoder": "lora_te_"} {
		c, err := d.Component(component)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range c.Weights.Names() {
			known[format.KohyaName(prefix, strings.TrimSuffix(name, ".weight"))] = true
		}
	}
	for _, m := range readLoRA(t, golden.Path(t, "files", "locon.safetensors")) {
		if !known[m.Name] {
			t.Errorf("no weight of the model gives %s", m.Name)
		}
	}
}
