package format_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
)

// diffusersPaths are the dotted paths of tiny-sd1's modules with their network, by kohya's names.
func diffusersPaths(t *testing.T) map[string]string {
	t.Helper()
	d, err := format.OpenFolder(os.DirFS(golden.Path(t, "tiny-sd1")))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	paths := map[string]string{}
	for component, prefix := range map[string]string{"unet": "lora_unet_", "text_encoder": "lora_te_"} {
		c, err := d.Component(component)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range c.Weights.Names() {
			if module, ok := strings.CutSuffix(name, ".weight"); ok {
				paths[format.KohyaName(prefix, module)] = component + "." + module
			}
		}
	}
	return paths
}

// specPaths reads a list of keys, spec/keys/<name>.tsv: kohya's, diffusers' and the original's names of each module.
func specPaths(t *testing.T, name string) [][3]string {
	t.Helper()
	for _, dir := range []string{filepath.Join(golden.Dir(t), "..", "spec", "keys"), "../../../shared/spec/keys"} {
		text, err := os.ReadFile(filepath.Join(dir, name+".tsv"))
		if err != nil {
			continue
		}
		var rows [][3]string
		for line := range strings.Lines(string(text)) {
			fields := strings.Split(line, "\t")
			rows = append(rows, [3]string(fields[:3]))
		}
		return rows[1:]
	}
	t.Skip("shared/spec/keys is absent")
	return nil
}

// renamed writes modules with other tensor names: name gives those of down, up and alpha; an empty one is left out.
func renamed(t *testing.T, path string, modules []format.LoRAModule, metadata map[string]string, name func(m format.LoRAModule) (down, up, alpha string)) {
	t.Helper()
	var tensors []format.Named
	for _, m := range modules {
		down, up, alpha := name(m)
		tensors = append(tensors, format.Named{Name: down, Tensor: m.Down}, format.Named{Name: up, Tensor: m.Up})
		if alpha != "" {
			tensors = append(tensors, format.Named{Name: alpha, Tensor: kernel.FromF32([]float32{m.Alpha})})
		}
	}
	if err := format.Write(path, tensors, metadata); err != nil {
		t.Fatal(err)
	}
}

// sameTensors compares tensors as cmp would do, but not byte by byte.
var sameTensors = cmp.Comparer(func(a, b *kernel.Tensor) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(a.Shape, b.Shape) && a.DType == b.DType && slices.Equal(a.Floats(), b.Floats())
})

func wantModules(t *testing.T, want []format.LoRAModule, path string) {
	t.Helper()
	if d := cmp.Diff(want, readLoRA(t, path), sameTensors); d != "" {
		t.Errorf("%s: %s", path, d)
	}
}

// alphaPatterns is the JSON of the alphas that are not 2, by diffusers' paths.
func alphaPatterns(modules []format.LoRAModule, paths map[string]string) map[string]float32 {
	patterns := map[string]float32{}
	for _, m := range modules {
		if m.Alpha != 2 {
			patterns[strings.TrimPrefix(paths[m.Name], "unet.")] = m.Alpha
		}
	}
	return patterns
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func peftNames(prefix string, paths map[string]string) func(format.LoRAModule) (down, up, alpha string) {
	return func(m format.LoRAModule) (down, up, alpha string) {
		path := prefix + paths[m.Name]
		return path + ".lora_A.weight", path + ".lora_B.weight", ""
	}
}

func TestDiffusersLoRA(t *testing.T) {
	paths := diffusersPaths(t)
	for _, name := range []string{"lora", "locon"} {
		modules := readLoRA(t, golden.Path(t, "files", name+".safetensors"))
		path := filepath.Join(t.TempDir(), name+".safetensors")
		config := jsonText(t, map[string]any{"unet.r": 4, "unet.lora_alpha": 2, "unet.alpha_pattern": alphaPatterns(modules, paths), "text_encoder.lora_alpha": 2})
		renamed(t, path, modules, map[string]string{"lora_adapter_metadata": config}, peftNames("", paths))
		wantModules(t, modules, path)
	}
}

func TestDiffusersLoRAWithoutMetadataHasAlphaRank(t *testing.T) {
	paths := diffusersPaths(t)
	modules := readLoRA(t, golden.Path(t, "files", "locon.safetensors"))
	path := filepath.Join(t.TempDir(), "x.safetensors")
	renamed(t, path, modules, nil, peftNames("", paths))
	for i := range modules {
		modules[i].Alpha = float32(modules[i].Rank())
	}
	wantModules(t, modules, path)
}

func TestPEFTFolder(t *testing.T) {
	paths := diffusersPaths(t)
	for k, v := range paths {
		paths[k] = strings.TrimPrefix(v, "unet.") // peft knows one network
	}
	modules := readLoRA(t, golden.Path(t, "files", "locon.safetensors"))
	dir := t.TempDir()
	file := filepath.Join(dir, "adapter_model.safetensors")
	renamed(t, file, modules, nil, peftNames("base_model.model.", paths))
	for _, c := range []struct {
		config string
		kind   engine.Kind // Internal for none
		says   string
	}{
		{jsonText(t, map[string]any{"peft_type": "LORA", "r": 4, "lora_alpha": 2, "alpha_pattern": alphaPatterns(modules, paths)}), engine.Internal, ""},
		{`{"peft_type": "LORA", "lora_alpha": 2, "alpha_pattern": {"conv1": 1, "conv2": 1, "downsamplers.0.conv": 1, "upsamplers.0.conv": 1}}`, engine.Internal, ""},
		{`{"peft_type": "LORA", "lora_alpha": 1, "use_rslora": true, "alpha_pattern": {"conv1": 0.70710678118, "conv2": 0.70710678118, "downsamplers.0.conv": 0.70710678118, "upsamplers.0.conv": 0.70710678118}}`, engine.Internal, ""},
		{`{"peft_type": "LOHA"}`, engine.Unsupported, "LOHA"},
		{`{"alpha_pattern": {".*attn1.*": 3}}`, engine.Unsupported, "regular expression"},
		{`{"lora_alpha": "two"}`, engine.BadFile, "damaged"},
	} {
		if err := os.WriteFile(filepath.Join(dir, "adapter_config.json"), []byte(c.config), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := format.OpenLoRA(dir)
		if err != nil {
			t.Fatal(err)
		}
		got, err := format.ReadLoRA(f)
		switch {
		case c.says != "" && (engine.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: error %v", c.config, err)
		case c.says == "" && err != nil:
			t.Error(err)
		case c.says == "":
			if d := cmp.Diff(modules, got, sameTensors, cmpopts.EquateApprox(1e-6, 0)); d != "" {
				t.Errorf("%s: %s", c.config, d)
			}
		}
		f.Close()
	}
}

// TestOldNames: names that diffusers, ComfyUI and others wrote over the years, each of a module by itself.
func TestOldNames(t *testing.T) {
	const block = "down_blocks.0.attentions.0.transformer_blocks.0."
	const kohya = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_"
	const layer = "lora_te_text_model_encoder_layers_3_self_attn_"
	for _, c := range []struct{ path, down, up, want string }{
		{"unet." + block + "attn1.processor.to_q_lora", ".down.weight", ".up.weight", kohya + "attn1_to_q"},
		{"unet." + block + "attn1.processor.to_out_lora", ".down.weight", ".up.weight", kohya + "attn1_to_out_0"},
		{block + "attn2.processor.to_v_lora", ".down.weight", ".up.weight", kohya + "attn2_to_v"},
		{"unet." + block + "attn1.to_k.lora", ".down.weight", ".up.weight", kohya + "attn1_to_k"},
		{"unet." + block + "attn1.to_out.0", ".lora_A.default.weight", ".lora_B.default.weight", kohya + "attn1_to_out_0"},
		{"text_encoder.text_model.encoder.layers.3.self_attn.to_q_lora", ".down.weight", ".up.weight", layer + "q_proj"},
		{"text_encoder.text_model.encoder.layers.3.self_attn.to_out_lora", ".down.weight", ".up.weight", layer + "out_proj"},
		{"text_encoder.text_model.encoder.layers.3.self_attn.k_proj.lora_linear_layer", ".down.weight", ".up.weight", layer + "k_proj"},
		{"text_encoder.encoder.layers.3.self_attn.v_proj", ".lora_A.weight", ".lora_B.weight", layer + "v_proj"},
		{"base_model.model.text_model.encoder.layers.3.self_attn.v_proj", ".lora_A.weight", ".lora_B.weight", layer + "v_proj"},
		{"text_encoder_2.text_model.encoder.layers.3.mlp.fc1", ".lora_A.weight", ".lora_B.weight", "lora_te2_text_model_encoder_layers_3_mlp_fc1"},
		{"diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q", ".lora_up.weight", ".lora_down.weight", kohya + "attn1_to_q"},
	} {
		down, up := kernel.New(kernel.F32, 4, 8), kernel.New(kernel.F32, 6, 4)
		if strings.Contains(c.down, "up") {
			down, up = up, down
		}
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := format.Write(path, []format.Named{{Name: c.path + c.down, Tensor: down}, {Name: c.path + c.up, Tensor: up}}, nil); err != nil {
			t.Fatal(err)
		}
		if m := readLoRA(t, path); len(m) != 1 || m[0].Name != c.want || m[0].Rank() != 4 || m[0].Alpha != 4 {
			t.Errorf("%s became %s of rank %d, want %s", c.path, m[0].Name, m[0].Rank(), c.want)
		}
	}
}

// TestOriginalBlockNames: kohya's files may name the UNet's blocks as the original does, and for SDXL they do. The names
// are those of all modules that a LoRA can have in the three families.
func TestOriginalBlockNames(t *testing.T) {
	for _, family := range []string{"sd1", "sd2", "sdxl"} {
		var modules, originals []format.LoRAModule
		for _, row := range specPaths(t, family+"_lora_conv") {
			network, path, _ := strings.Cut(row[1], ".")
			original, inUNet := strings.CutPrefix(row[2], "model.diffusion_model.")
			if network != "unet" || !inUNet {
				continue
			}
			m := format.LoRAModule{Down: kernel.New(kernel.F32, 2, 3), Up: kernel.New(kernel.F32, 4, 2), Alpha: 1}
			m.Name = format.KohyaName("lora_unet_", path)
			modules = append(modules, m)
			m.Name = format.KohyaName("lora_unet_", original)
			originals = append(originals, m)
		}
		path := filepath.Join(t.TempDir(), family+".safetensors")
		if err := format.WriteLoRA(path, originals, loraMeta, kernel.F32); err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, m := range readLoRA(t, path) {
			got[m.Name] = true
		}
		for _, m := range modules {
			if !got[m.Name] {
				t.Errorf("%s: no module became %s", family, m.Name)
			}
		}
		if len(modules) < 200 || len(got) != len(modules) {
			t.Errorf("%s: %d modules, want %d", family, len(got), len(modules))
		}
	}
}

// TestRealCloneofsimoLoRAs compares files of cloneofsimo's with what they are in kohya's names.
func TestRealCloneofsimoLoRAs(t *testing.T) {
	dir := filepath.Join(fixtures(t), "cloneofsimo-lora")
	for _, name := range []string{"lora_disney", "analog_svd_rank4"} {
		f, err := format.Open(filepath.Join(dir, "converted", name+".kohya.safetensors"))
		if err != nil {
			t.Skip(err)
		}
		defer f.Close()
		want, err := format.ReadLoRA(f)
		if err != nil {
			t.Fatal(err)
		}
		wantModules(t, want, filepath.Join(dir, name+".safetensors"))
	}
	info, err := format.Inspect(filepath.Join(dir, "lora_disney.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Base != "SD1" || info.Naming != "cloneofsimo" || !strings.Contains(info.Note, "<s1>") {
		t.Errorf("%+v", info)
	}
}

// TestCloneofsimoLists: the older form is a list of up, down, up, down, ... of one network.
func TestCloneofsimoLists(t *testing.T) {
	path := filepath.Join(fixtures(t), "cloneofsimo-lora", "lora_disney.safetensors")
	f, err := format.Open(path)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	for network, prefix := range map[string]string{"text_encoder": "lora_te_", "unet": "lora_unet_"} {
		want := slices.DeleteFunc(readLoRA(t, path), func(m format.LoRAModule) bool { return !strings.HasPrefix(m.Name, prefix) })
		var list []format.Named
		for i := range len(want) {
			for part, name := range []string{"up", "down"} {
				tensor, err := f.Tensor(fmt.Sprintf("%s:%d:%s", network, i, name))
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, format.Named{Name: strconv.Itoa(2*i + part), Tensor: tensor})
			}
		}
		listed := filepath.Join(t.TempDir(), "list")
		if err := format.Write(listed, list, nil); err != nil {
			t.Fatal(err)
		}
		wantModules(t, want, listed)
	}
	info, err := format.Inspect(filepath.Join(fixtures(t), "cloneofsimo-lora", "lora_kiriko2.text_encoder.pt"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Kind != format.KindLoRA || info.Base != "SD1" || info.Naming != "cloneofsimo" || !slices.Equal(info.Ranks, []int{4}) || info.Note != "" {
		t.Errorf("%+v", info)
	}
}

// TestCloneofsimoLoRAsOfOtherOrders are refused: their names say nothing of where a module belongs.
func TestCloneofsimoLoRAsOfOtherOrders(t *testing.T) {
	pair := func(key string) []format.Named {
		return []format.Named{{Name: key + ":down", Tensor: kernel.New(kernel.F32, 4, 8)}, {Name: key + ":up", Tensor: kernel.New(kernel.F32, 6, 4)}}
	}
	layer := append(append(append(pair("text_encoder:0"), pair("text_encoder:1")...), pair("text_encoder:2")...), pair("text_encoder:3")...)
	for _, c := range []struct {
		name     string
		tensors  []format.Named
		metadata map[string]string
		kind     engine.Kind
		says     string
	}{
		{"too few", pair("unet:0"), nil, engine.Unsupported, "1 layers"},
		{"part of a layer", pair("text_encoder:0"), nil, engine.Unsupported, "whole number"},
		{"convolutions", layer, map[string]string{"text_encoder": `["ResnetBlock2D"]`}, engine.Unsupported, "ResnetBlock2D"},
		{"a gap", append(layer[2:], pair("text_encoder:4")...), nil, engine.BadFile, "missing"},
		{"no list", layer, map[string]string{"text_encoder": "CLIP"}, engine.Unsupported, "no list"},
		{"stray tensor", append(layer[:len(layer):len(layer)], pair("vae:0")...), nil, engine.Unsupported, "does not belong"},
	} {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := format.Write(path, c.tensors, c.metadata); err != nil {
			t.Fatal(err)
		}
		f, err := format.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err = format.ReadLoRA(f); engine.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// FuzzReadLoRA reads files of two tensors and one entry of metadata; FuzzParse fuzzes the bytes below.
func FuzzReadLoRA(f *testing.F) {
	add := func(path, down, up, key, value string) { f.Add(path+down, path+up, key, value, uint8(1), uint8(2)) }
	add("lora_unet_input_blocks_4_1_proj_in", ".lora_down.weight", ".lora_up.weight", "ss_base_model_version", "sdxl_base_v1-0")
	add("lora_unet_middle_block_1_proj_in", ".lora_down.weight", ".alpha", "", "")
	add("unet.mid_block.attentions.0.proj_in", ".lora_A.weight", ".lora_B.weight", "lora_adapter_metadata", `{"unet.lora_alpha": 2, "unet.alpha_pattern": {"^proj_in": 1}, "unet.use_rslora": true}`)
	add("text_encoder.encoder.layers.0.self_attn.to_q_lora", ".down.weight", ".up.weight", "", "")
	add("base_model.model.text_model.encoder.layers.0.mlp.fc1", ".lora_A.default.weight", ".lora_B.default.weight", "", "")
	add("text_encoder:0", ":down", ":up", "text_encoder", `["CLIPAttention"]`)
	add("", "1", "0", "", "")
	add("unet.x", ".lora_A.weight", ".lora_magnitude_vector", "", "")
	f.Fuzz(func(t *testing.T, down, up, key, value string, rank, width uint8) {
		var b bytes.Buffer
		err := format.Encode(&b, []format.Named{{Name: down, Tensor: kernel.New(kernel.F32, int(rank), int(width))},
			{Name: up, Tensor: kernel.New(kernel.F16, int(width), int(rank))}}, map[string]string{key: value})
		if err != nil {
			return // two tensors of one name, or text that is not UTF-8
		}
		file, err := format.Parse(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		modules, err := format.ReadLoRA(file)
		if err != nil {
			return
		}
		for _, m := range modules {
			if m.Rank() < 1 || m.Up.Shape[1] != m.Rank() || math.IsNaN(float64(m.Alpha)) || strings.Contains(m.Name, ".") {
				t.Errorf("%s has shapes %v and %v, alpha %g", m.Name, m.Down.Shape, m.Up.Shape, m.Alpha)
			}
		}
	})
}
