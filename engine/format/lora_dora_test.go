package format_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
)

// counted is a tensor of 1, 2, 3, ...
func counted(shape ...int) *kernel.Tensor {
	t := kernel.New(kernel.F32, shape...)
	for i := range t.F32() {
		t.F32()[i] = float32(i + 1)
	}
	return t
}

// doras are one of a linear layer and one of a convolution.
func doras() []format.LoRAModule {
	return []format.LoRAModule{
		{Name: "lora_unet_mid_block_attentions_0_proj_in", Down: counted(2, 4), Up: counted(3, 2), Alpha: 1, Magnitude: counted(3)},
		{Name: "lora_unet_mid_block_resnets_0_conv1", Down: counted(2, 4, 3, 3), Up: counted(5, 2, 1, 1), Alpha: 4, Magnitude: counted(5)},
	}
}

// TestDoRAIsReadAsWritten, in LyCORIS' shapes and with the metadata of LyCORIS.
func TestDoRAIsReadAsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := format.WriteLoRA(path, doras(), loraMeta, kernel.F32); err != nil {
		t.Fatal(err)
	}
	wantModules(t, doras(), path)
	f, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, want := range map[string][]int{"lora_unet_mid_block_attentions_0_proj_in.dora_scale": {3, 1}, "lora_unet_mid_block_resnets_0_conv1.dora_scale": {5, 1, 1, 1}} {
		if _, shape, _ := f.Info(name); !cmp.Equal(shape, want) {
			t.Errorf("%s has shape %v, want %v", name, shape, want)
		}
	}
	if m := f.Metadata(); m["ss_network_module"] != "lycoris.kohya" || !strings.Contains(m["ss_network_args"], `"dora_wd":"True"`) || !strings.Contains(m["ss_network_args"], "conv_dim") {
		t.Errorf("module %q, arguments %q", m["ss_network_module"], m["ss_network_args"])
	}
	info, err := format.Inspect(path)
	if err != nil || info.Kind != format.KindLoRA || !strings.Contains(info.Note, "DoRA") {
		t.Errorf("inspected as %+v, %v", info, err)
	}
}

// TestDiffusersFormHasTheEffectInUp: scale 1, so that a program that knows no alpha is right.
func TestDiffusersFormHasTheEffectInUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	paths := []string{"unet.mid_block.attentions.0.proj_in", "unet.mid_block.resnets.0.conv1"}
	if err := format.WriteDiffusersLoRA(path, doras(), paths, kernel.F32); err != nil {
		t.Fatal(err)
	}
	want := doras()
	for i, by := range []float32{0.5, 2} {
		want[i].Alpha = 2
		for k := range want[i].Up.F32() {
			want[i].Up.F32()[k] *= by
		}
	}
	wantModules(t, want, path)
	f, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, shape, _ := f.Info(paths[1] + ".lora_magnitude_vector"); !cmp.Equal(shape, []int{1, 5, 1, 1}) {
		t.Errorf("a convolution's magnitudes have shape %v", shape)
	}
	for name, err := range map[string]error{
		"no module":     format.WriteDiffusersLoRA(path, nil, nil, kernel.F32),
		"a path short":  format.WriteDiffusersLoRA(path, doras(), paths[:1], kernel.F32),
		"whole numbers": format.WriteDiffusersLoRA(path, doras(), paths, kernel.I32),
	} {
		if engine.KindOf(err) != engine.BadInput {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDoRAOverInputsIsRefused: LyCORIS' older kind has a number for each input.
func TestDoRAOverInputsIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	err := format.Write(path, []format.Named{{Name: "lora_unet_a.lora_down.weight", Tensor: counted(2, 4)}, {Name: "lora_unet_a.lora_up.weight", Tensor: counted(4, 2)},
		{Name: "lora_unet_a.dora_scale", Tensor: counted(1, 4)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := format.ReadLoRA(f); engine.KindOf(err) != engine.Unsupported || !strings.Contains(err.Error(), "inputs") {
		t.Error(err)
	}
}

// TestValuesThatAreNotFinite are the file's fault, wherever it is read.
func TestValuesThatAreNotFinite(t *testing.T) {
	for part := range 3 {
		m := doras()[0]
		[]*kernel.Tensor{m.Down, m.Up, m.Magnitude}[part].F32()[1] = float32(math.Inf(1))
		path := filepath.Join(t.TempDir(), "x.safetensors")
		err := format.Write(path, []format.Named{{Name: m.Name + ".lora_down.weight", Tensor: m.Down}, {Name: m.Name + ".lora_up.weight", Tensor: m.Up},
			{Name: m.Name + ".dora_scale", Tensor: kernel.FromF32(m.Magnitude.F32(), 3, 1)}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := format.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := format.ReadLoRA(f); engine.KindOf(err) != engine.BadFile || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "not finite") {
			t.Errorf("part %d: %v", part, err)
		}
	}
}
