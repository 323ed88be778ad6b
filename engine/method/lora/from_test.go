package lora_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
)

func start(t *testing.T, m *model.Model, from string, settings map[string]string) (method.Tuning, error) {
	t.Helper()
	me, err := method.ByName("lora")
	if err != nil {
		t.Fatal(err)
	}
	return me.Start(m, engine.Job{From: from, Settings: settings})
}

func readLoRA(t *testing.T, path string) map[string]format.LoRAModule {
	t.Helper()
	f, err := format.OpenLoRA(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	modules, err := format.ReadLoRA(f)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]format.LoRAModule{}
	for _, m := range modules {
		byName[m.Name] = m
	}
	return byName
}

// TestTrainingBeginsWithAFile: before the first step the tuned model predicts what the file does, with the file's rank,
// alpha and targets, and the export equals the file.
func TestTrainingBeginsWithAFile(t *testing.T) {
	for name, want := range map[string]map[string]string{
		"lora":                       {"rank": "4", "alpha": "2", "conv-rank": "", "conv-alpha": "", "targets": "attention+ff", "text-encoder": "on"},
		"locon":                      {"rank": "4", "alpha": "2", "conv-rank": "2", "conv-alpha": "1", "targets": "all", "text-encoder": "off"},
		"hyper_a_linear_nobias.lora": {"rank": "24", "alpha": "24", "conv-rank": "", "conv-alpha": "", "targets": "attention", "text-encoder": "off"},
	} {
		t.Run(name, func(t *testing.T) {
			m := loadTiny(t)
			path := golden.Path(t, "files", name+".safetensors")
			tuning, err := start(t, m, path, nil)
			if err != nil {
				t.Fatal(err)
			}
			settings := tuning.Settings()
			for setting, v := range want {
				if settings[setting] != v {
					t.Errorf("%s is %q, want %q", setting, settings[setting], v)
				}
			}
			f := golden.Open(t, "files/"+name+".eps.safetensors")
			f.Check(t, "", "eps_lora", predict(t, m, tuning, f))
			exported := filepath.Join(t.TempDir(), "x.safetensors")
			if err := tuning.Export(exported, "kohya", method.About{}, kernel.F32); err != nil {
				t.Fatal(err)
			}
			got := readLoRA(t, exported)
			for module, want := range readLoRA(t, path) {
				if diff := cmp.Diff(want.Alpha, got[module].Alpha); diff != "" {
					t.Errorf("alpha of %s: %s", module, diff)
				}
				if diff := cmp.Diff(want.Down.Floats(), got[module].Down.Floats()); diff != "" {
					t.Errorf("down of %s: %s", module, diff)
				}
				if diff := cmp.Diff(want.Up.Floats(), got[module].Up.Floats()); diff != "" {
					t.Errorf("up of %s: %s", module, diff)
				}
			}
		})
	}
}

// TestLayersThatTheFileLacksBeginAnew, without an effect.
func TestLayersThatTheFileLacksBeginAnew(t *testing.T) {
	m := loadTiny(t)
	path := golden.Path(t, "files", "hyper_a_linear_nobias.lora.safetensors")
	tuning, err := start(t, m, path, map[string]string{"targets": "all", "text-encoder": "on", "conv-rank": "3"})
	if err != nil {
		t.Fatal(err)
	}
	f := golden.Open(t, "files/hyper_a_linear_nobias.lora.eps.safetensors")
	f.Check(t, "", "eps_lora", predict(t, m, tuning, f))
	given := readLoRA(t, path)
	fresh := 0
	for _, p := range tuning.Parameters() {
		module, isUp := strings.CutSuffix(p.Name, ".lora_up.weight")
		if _, has := given[module]; has || !isUp {
			continue
		}
		fresh++
		want := 24
		if strings.HasSuffix(module, "_conv1") {
			want = 3
		}
		if rank := p.Value.Shape[1]; rank != want && !strings.Contains(module, "conv") {
			t.Errorf("%s has rank %d, want %d", module, rank, want)
		}
	}
	if fresh != 278+72-len(given) {
		t.Errorf("%d layers began anew beside %d given ones, want %d", fresh, len(given), 278+72-len(given))
	}
}

func TestFilesThatTrainingCannotBeginWith(t *testing.T) {
	m := loadTiny(t)
	for _, c := range []struct {
		file     string
		settings map[string]string
		kind     engine.Kind
		says     string
	}{
		{"files/lora.safetensors", map[string]string{"rank": "8"}, engine.BadInput, "have rank 4 and alpha 2"},
		{"files/lora.safetensors", map[string]string{"alpha": "4"}, engine.BadInput, "have rank 4 and alpha 2"},
		{"files/locon.safetensors", map[string]string{"conv-rank": "4"}, engine.BadInput, "its convolutions have rank 2 and alpha 1"},
		{"files/locon.safetensors", map[string]string{"targets": "attention+ff"}, engine.BadInput, "targets attention+ff leaves out"},
		{"files/lora.safetensors", map[string]string{"text-encoder": "off"}, engine.BadInput, "text encoder"},
		{"files/lora.safetensors", map[string]string{"dora": "on"}, engine.BadInput, "it is a plain LoRA"},
		{"files/lora.safetensors", map[string]string{"rs-lora": "on"}, engine.BadInput, "its alphas say"},
		{"files/lora.safetensors", map[string]string{"block-ranks": "mid=3"}, engine.BadInput, "its layers have their ranks"},
		{"files/ti-a1111.safetensors", nil, engine.Unsupported, "this is a textual inversion, no LoRA"},
		{"tiny-sd2/lora.safetensors", nil, engine.BadFile, "made for another model (SD2; this one is SD1)"},
		{"tiny-sdxl/lora.safetensors", nil, engine.BadFile, "made for another model (SDXL; this one is SD1)"},
	} {
		_, err := start(t, m, golden.Path(t, c.file), c.settings)
		if engine.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %v: %v", c.file, c.settings, err)
		} else {
			t.Log(err)
		}
	}
	if _, err := start(t, m, "nowhere.safetensors", nil); engine.KindOf(err) != engine.NotFound {
		t.Errorf("no file: %v", err)
	}
}

// TestFilesThatAreTooLarge: the error names the file and what it holds, no setting that nobody gave.
func TestFilesThatAreTooLarge(t *testing.T) {
	m := loadTiny(t)
	module := func(rank int, alpha float32) format.LoRAModule {
		return format.LoRAModule{Name: "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q", Alpha: alpha,
			Down: kernel.New(kernel.F32, rank, 32), Up: kernel.New(kernel.F32, 32, rank)}
	}
	for name, module := range map[string]format.LoRAModule{"rank 513": module(513, 1), "alpha -1": module(4, -1), "alpha 1e+07": module(4, 1e7)} {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := format.WriteLoRA(path, []format.LoRAModule{module}, format.LoRAMeta{Base: format.BaseSD1}, kernel.F32); err != nil {
			t.Fatal(err)
		}
		_, err := start(t, m, path, nil)
		if engine.KindOf(err) != engine.Unsupported || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
