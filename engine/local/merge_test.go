package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/model"
)

func merge(t *testing.T, req engine.MergeRequest) engine.MergeResult {
	t.Helper()
	result, err := newEngine(t).Merge(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// stored are the tensors of a file with their types and bytes.
func stored(t *testing.T, path string) map[string]format.Stored {
	t.Helper()
	f, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	all := map[string]format.Stored{}
	for _, name := range f.Names() {
		if all[name], err = f.Stored(name); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func sameBytes(t *testing.T, a, b format.Stored) bool {
	t.Helper()
	x, errX := a.Data()
	y, errY := b.Data()
	if errX != nil || errY != nil {
		t.Fatal(errX, errY)
	}
	return a.DType == b.DType && slices.Equal(a.Shape, b.Shape) && bytes.Equal(x, y)
}

// TestMergeIsTheFormula compares single weights with W + weight·alpha/rank·up·down, summed over two files in float64.
func TestMergeIsTheFormula(t *testing.T) {
	skipUnderRace(t)
	loras := []engine.TunedFile{{Path: golden.Path(t, "files", "lora.safetensors"), Weight: 0.75}, {Path: golden.Path(t, "files", "locon.safetensors"), Weight: -0.5}}
	result := merge(t, engine.MergeRequest{Model: golden.Path(t, "tiny-sd1"), LoRAs: loras, Out: filepath.Join(t.TempDir(), "m")})
	const unet = "unet/diffusion_pytorch_model.safetensors"
	before, after := tensors(t, filepath.Join(golden.Path(t, "tiny-sd1"), unet)), tensors(t, filepath.Join(result.Path, unet))
	for _, module := range []string{"down_blocks.0.attentions.0.proj_in", "mid_block.attentions.0.transformer_blocks.0.attn2.to_k", "up_blocks.1.resnets.2.conv1"} {
		want := make([]float64, len(before[module+".weight"]))
		for i, w := range before[module+".weight"] {
			want[i] = float64(w)
		}
		for _, l := range loras {
			all, name := tensors(t, l.Path), format.KohyaName("lora_unet_", module)
			down, up := all[name+".lora_down.weight"], all[name+".lora_up.weight"]
			if down == nil { // lora has no convolutions
				continue
			}
			rank := 4
			if strings.Contains(module, "conv1") {
				rank = 2
			}
			in := len(down) / rank
			for i := range want {
				for k := range rank {
					want[i] += l.Weight * float64(all[name+".alpha"][0]) / float64(rank) * float64(up[i/in*rank+k]) * float64(down[k*in+i%in])
				}
			}
		}
		for i, v := range after[module+".weight"] {
			if math.Abs(float64(v)-want[i]) > 1e-6*(1+math.Abs(want[i])) {
				t.Fatalf("%s[%d] is %g, want %g", module, i, v, want[i])
			}
		}
	}
}

// TestUntouchedTensorsKeepTheirBytes, in a file and in a folder of which everything else is copied.
func TestUntouchedTensorsKeepTheirBytes(t *testing.T) {
	lora := []engine.TunedFile{{Path: golden.Path(t, "files", "locon.safetensors"), Weight: 1}} // the text encoder has none
	half := golden.Path(t, "tiny-sd1", "tiny-sd1-fp16.safetensors")
	result := merge(t, engine.MergeRequest{Model: half, LoRAs: lora, Out: filepath.Join(t.TempDir(), "m.safetensors")})
	before, after := stored(t, half), stored(t, result.Path)
	changed := 0
	for name, b := range before {
		a, ok := after[name]
		if !ok || a.DType != b.DType {
			t.Errorf("%s became %q of type %s", name, a.Name, a.DType)
		} else if !sameBytes(t, a, b) {
			changed++
			if !strings.HasPrefix(name, "model.diffusion_model.") || !strings.HasSuffix(name, ".weight") {
				t.Errorf("%s has changed", name)
			}
		}
	}
	if len(after) != len(before) || changed != 278 || result.Changed != 278 || result.Tensors != len(before) {
		t.Errorf("%d of %d tensors changed, reported: %+v", changed, len(after), result)
	}

	folder := golden.Path(t, "tiny-sd1")
	out := merge(t, engine.MergeRequest{Model: folder, LoRAs: lora, Out: filepath.Join(t.TempDir(), "m")}).Path
	for _, weights := range []string{"vae/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"} {
		b, a := stored(t, filepath.Join(folder, weights)), stored(t, filepath.Join(out, weights))
		for name := range b {
			if !sameBytes(t, a[name], b[name]) {
				t.Errorf("%s in %s has changed", name, weights)
			}
		}
	}
	for _, file := range []string{"model_index.json", "unet/config.json", "scheduler/scheduler_config.json"} {
		b, errB := os.ReadFile(filepath.Join(folder, file))
		a, errA := os.ReadFile(filepath.Join(out, file))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: %v %v", file, errA, errB)
		}
	}
	if stray, _ := filepath.Glob(filepath.Join(out, "*.*")); len(stray) != 1 {
		t.Errorf("beside the components there are %v", stray)
	}
	if stray, _ := filepath.Glob(filepath.Join(filepath.Dir(out), ".*")); len(stray) != 0 {
		t.Errorf("left behind: %v", stray)
	}
}

// TestMergeToAnotherType: floating tensors are stored in it, whole numbers as they were.
func TestMergeToAnotherType(t *testing.T) {
	skipUnderRace(t)
	lora := []engine.TunedFile{{Path: golden.Path(t, "files", "lora.safetensors"), Weight: 1}}
	file := golden.Path(t, "tiny-sd1", "tiny-sd1.safetensors")
	whole := merge(t, engine.MergeRequest{Model: file, LoRAs: lora, Out: filepath.Join(t.TempDir(), "m.safetensors")})
	half := merge(t, engine.MergeRequest{Model: file, LoRAs: lora, Out: filepath.Join(t.TempDir(), "m.safetensors"), DType: "f16"})
	before, f32, f16 := stored(t, file), stored(t, whole.Path), stored(t, half.Path)
	for name, b := range before {
		if b.DType != "F32" {
			if !sameBytes(t, b, f16[name]) {
				t.Errorf("%s of type %s has changed", name, b.DType)
			}
			continue
		}
		raw, err := f32[name].Data()
		if err != nil {
			t.Fatal(err)
		}
		want := (&kernel.Tensor{Shape: b.Shape, DType: kernel.F32, Data: raw}).Convert(kernel.F16)
		if !sameBytes(t, format.StoredAs(name, want), f16[name]) {
			t.Errorf("%s is not the rounded sum", name)
		}
	}
}

// TestMergeOfAPickle: PyTorch's files, in which tensors lie in any order, become safetensors.
func TestMergeOfAPickle(t *testing.T) {
	skipUnderRace(t)
	lora := filepath.Join(t.TempDir(), "x.safetensors")
	oneModule(t, lora, "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k", 16, 12)
	merged := func(model string) map[string]format.Stored {
		req := engine.MergeRequest{Model: golden.Path(t, "tiny-sd1", model), LoRAs: []engine.TunedFile{{Path: lora, Weight: 1}}, Out: filepath.Join(t.TempDir(), "m.safetensors")}
		return stored(t, merge(t, req).Path)
	}
	want := merged("subset-expected.safetensors")
	for _, pickled := range []string{"subset.ckpt", "subset-legacy.ckpt"} {
		got := merged(pickled)
		for name, w := range want {
			if g, ok := got[name]; !ok || !sameBytes(t, g, w) {
				t.Errorf("%s: %s differs", pickled, name)
			}
		}
	}
}

// rewritten is golden's checkpoint with other tensors, of which a change may leave out any, or add some.
func rewritten(t *testing.T, model string, change func(format.Stored) []format.Stored) string {
	t.Helper()
	var ts []format.Stored
	for _, s := range stored(t, golden.Path(t, model, model+".safetensors")) {
		ts = append(ts, change(s)...)
	}
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := format.WriteStored(path, ts, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMergeIntoMovingAverages where they are the only UNet.
func TestMergeIntoMovingAverages(t *testing.T) {
	skipUnderRace(t)
	model := rewritten(t, "tiny-sd1", func(s format.Stored) []format.Stored {
		if name, ok := strings.CutPrefix(s.Name, "model.diffusion_model."); ok {
			s.Name = "model_ema.diffusion_model" + strings.ReplaceAll(name, ".", "")
		}
		return []format.Stored{s}
	})
	loras := []engine.TunedFile{{Path: golden.Path(t, "files", "locon.safetensors"), Weight: 1}}
	if r := merge(t, engine.MergeRequest{Model: model, LoRAs: loras, Out: filepath.Join(t.TempDir(), "m.safetensors")}); r.Changed != 278 {
		t.Errorf("%d tensors changed, want 278", r.Changed)
	}
}

// TestMergeWithTwins: of two tensors of one meaning only the one that is read counts, and changes.
func TestMergeWithTwins(t *testing.T) {
	skipUnderRace(t)
	const twin = "cond_stage_model.transformer.text_model.encoder.layers.0.self_attn.q_proj.weight"
	other := strings.Replace(twin, "transformer.text_model.", "", 1)
	model := rewritten(t, "tiny-sd1", func(s format.Stored) []format.Stored {
		if s.Name != twin {
			return []format.Stored{s}
		}
		return []format.Stored{s, format.StoredAs(other, kernel.New(kernel.F16, 1, 1))}
	})
	loras := []engine.TunedFile{{Path: golden.Path(t, "files", "lora.safetensors"), Weight: 1}}
	before := stored(t, model)
	after := stored(t, merge(t, engine.MergeRequest{Model: model, LoRAs: loras, Out: filepath.Join(t.TempDir(), "m.safetensors")}).Path)
	if sameBytes(t, before[twin], after[twin]) || !sameBytes(t, before[other], after[other]) {
		t.Error("the twin that is not read changed, or the other did not")
	}
}

// TestMergeOfOddProjections, which cannot be a query, a key and a value.
func TestMergeOfOddProjections(t *testing.T) {
	skipUnderRace(t)
	model := rewritten(t, "tiny-sd2", func(s format.Stored) []format.Stored {
		if strings.HasSuffix(s.Name, "resblocks.0.attn.in_proj_weight") {
			return []format.Stored{format.StoredAs(s.Name, kernel.New(kernel.F32, s.Shape[0]+1, s.Shape[1]))}
		}
		return []format.Stored{s}
	})
	req := engine.MergeRequest{Model: model, Out: filepath.Join(t.TempDir(), "m.safetensors"), LoRAs: []engine.TunedFile{{Path: golden.Path(t, "tiny-sd2", "lora.safetensors"), Weight: 1}}}
	if _, err := newEngine(t).Merge(context.Background(), req); engine.KindOf(err) != engine.BadFile || !strings.Contains(err.Error(), "cannot be split into 3") {
		t.Error(err)
	}
}

// oneModule writes a LoRA of one linear layer.
func oneModule(t *testing.T, path, name string, out, in int) {
	t.Helper()
	m := format.LoRAModule{Name: name, Alpha: 1, Down: kernel.New(kernel.F32, 1, in), Up: kernel.New(kernel.F32, out, 1)}
	m.Down.F32()[0], m.Up.F32()[0] = 1, 2
	if err := format.WriteLoRA(path, []format.LoRAModule{m}, format.LoRAMeta{Base: format.BaseSD1}, kernel.F32); err != nil {
		t.Fatal(err)
	}
}

// TestMergeOfShards: a component in several files becomes one file.
func TestMergeOfShards(t *testing.T) {
	skipUnderRace(t)
	model := filepath.Join(t.TempDir(), "model")
	if err := os.CopyFS(model, os.DirFS(golden.Path(t, "tiny-sd1"))); err != nil {
		t.Fatal(err)
	}
	single := filepath.Join(model, "unet", "diffusion_pytorch_model.safetensors")
	all := stored(t, single)
	var shards [2][]format.Stored
	index := map[string]string{}
	for i, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range all {
			if !yield(name) {
				return
			}
		}
	}) {
		shards[i%2] = append(shards[i%2], all[name])
		index[name] = []string{"a.safetensors", "b.safetensors"}[i%2]
	}
	for i, name := range []string{"a.safetensors", "b.safetensors"} {
		if err := format.WriteStored(filepath.Join(model, "unet", name), shards[i], nil); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(map[string]any{"weight_map": index})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(single+".index.json", text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(single); err != nil {
		t.Fatal(err)
	}
	out := merge(t, engine.MergeRequest{Model: model, LoRAs: []engine.TunedFile{{Path: golden.Path(t, "files", "lora.safetensors"), Weight: 1}}, Out: filepath.Join(t.TempDir(), "m")}).Path
	f := golden.Open(t, "files/lora.eps.safetensors")
	f.Check(t, "", "eps_lora", predictGolden(t, out, out, f))
	if files, _ := filepath.Glob(filepath.Join(out, "unet", "*")); len(files) != 2 {
		t.Errorf("unet holds %v", files)
	}
}

// TestMergeIntoTheBuiltInModel writes it as a folder that can be opened.
func TestMergeIntoTheBuiltInModel(t *testing.T) {
	skipUnderRace(t)
	dir := t.TempDir()
	lora := filepath.Join(dir, "x.safetensors")
	f, err := format.Open("../builtin/model/unet/diffusion_pytorch_model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, shape, _ := f.Info("mid_block.attentions.0.transformer_blocks.0.attn1.to_q.weight")
	oneModule(t, lora, "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q", shape[0], shape[1])
	result := merge(t, engine.MergeRequest{Model: "builtin", LoRAs: []engine.TunedFile{{Path: lora, Weight: 1}}, Out: filepath.Join(dir, "new", "model")})
	m, err := model.Load(os.DirFS(result.Path))
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	if result.Changed != 1 || result.Size == 0 {
		t.Errorf("%+v", result)
	}
}

// tiring is a context that is cancelled when it was asked often enough.
type tiring struct {
	context.Context
	left int
}

func (c *tiring) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestACancelledMergeLeavesNothing of a file and of a folder.
func TestACancelledMergeLeavesNothing(t *testing.T) {
	eng := newEngine(t)
	dir := t.TempDir()
	for model, out := range map[string]string{"": "m", "tiny-sd1.safetensors": "m.safetensors"} {
		req := engine.MergeRequest{Model: golden.Path(t, "tiny-sd1", model), Out: filepath.Join(dir, out),
			LoRAs: []engine.TunedFile{{Path: golden.Path(t, "files", "lora.safetensors"), Weight: 1}}}
		if _, err := eng.Merge(&tiring{t.Context(), 100}, req); engine.KindOf(err) != engine.Cancelled {
			t.Errorf("%s: %v", out, err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestMergesThatAreRefused(t *testing.T) {
	skipUnderRace(t)
	eng := newEngine(t)
	dir := t.TempDir()
	folder, file := golden.Path(t, "tiny-sd1"), golden.Path(t, "tiny-sd1", "tiny-sd1.safetensors")
	lora, foreign := golden.Path(t, "files", "lora.safetensors"), golden.Path(t, "tiny-sd2", "lora.safetensors")
	captioner := golden.Path(t, "blip", "model.safetensors")
	taken := filepath.Join(dir, "taken.safetensors")
	if err := os.WriteFile(taken, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, model, lora, out, dtype string
		weight                        float64
		kind                          engine.Kind
		says                          string
	}{
		{"taken", file, lora, "taken.safetensors", "", 1, engine.BadInput, "nothing is replaced"},
		{"folder to file", folder, lora, "x.safetensors", "", 1, engine.BadInput, "folder's name"},
		{"file to folder", file, lora, "x", "", 1, engine.BadInput, ".safetensors"},
		{"dtype", file, lora, "x.safetensors", "f8", 1, engine.BadInput, "f8"},
		{"another model's, file", file, foreign, "x.safetensors", "", 1, engine.BadFile, "another model (SD2; this one is SD1)"},
		{"another model's, folder", folder, foreign, "x", "", 1, engine.BadFile, "another model (SD2; this one is SD1)"},
		{"no LoRA", file, file, "x.safetensors", "", 1, engine.Unsupported, "this is a checkpoint of Stable Diffusion 1.x, no LoRA"},
		{"a captioner as LoRA", file, captioner, "x.safetensors", "", 1, engine.Unsupported, "this is a BLIP captioner, no LoRA"},
		{"a captioner as model", captioner, lora, "x.safetensors", "", 1, engine.Unsupported, "BLIP captioner"},
		{"no model", lora, lora, "x.safetensors", "", 1, engine.Unsupported, "LoRA"},
		{"nothing", filepath.Join(dir, "nowhere"), lora, "x", "", 1, engine.NotFound, "nowhere"},
		{"too much for f16", file, lora, "x.safetensors", "f16", 1e12, engine.NaN, "try --dtype f32, or smaller weights"},
		{"too much for f32", file, lora, "x.safetensors", "f32", 3e38, engine.NaN, "in F32; try smaller weights"},
	} {
		req := engine.MergeRequest{Model: c.model, LoRAs: []engine.TunedFile{{Path: c.lora, Weight: c.weight}}, Out: filepath.Join(dir, c.out), DType: c.dtype}
		if _, err := eng.Merge(context.Background(), req); engine.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := eng.Merge(context.Background(), engine.MergeRequest{Model: file, Out: filepath.Join(dir, "x.safetensors")}); engine.KindOf(err) != engine.BadInput {
		t.Errorf("without a LoRA: %v", err)
	}
	var left []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if diff := cmp.Diff([]string{"taken.safetensors"}, left); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
}
