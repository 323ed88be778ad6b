package local_test

import (
	"math"
	"path/filepath"
	"testing"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
)

// doraFile writes golden's LoRA as a DoRA, with magnitudes near 1.
func doraFile(t *testing.T) string {
	t.Helper()
	f, err := format.Open(golden.Path(t, "files", "lora.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	modules, err := format.ReadLoRA(f)
	if err != nil {
		t.Fatal(err)
	}
	for i := range modules {
		m := kernel.New(kernel.F32, modules[i].Up.Shape[0])
		for o := range m.F32() {
			m.F32()[o] = float32(0.7 + 0.6*rng.Float64(1, i, rng.Init, uint64(o)))
		}
		modules[i].Magnitude = m
	}
	path := filepath.Join(t.TempDir(), "dora.safetensors")
	if err := format.WriteLoRA(path, modules, format.LoRAMeta{Base: format.BaseSD1}, kernel.F32); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMergeOfADoRAIsTheFormula, in float64: alone, in part, and after another LoRA. Its norm is that of the model's own
// weights with its update.
func TestMergeOfADoRAIsTheFormula(t *testing.T) {
	skipUnderRace(t)
	const weights, module = "unet/diffusion_pytorch_model.safetensors", "mid_block.attentions.0.transformer_blocks.0.attn2.to_k"
	name, dora, plain := format.KohyaName("lora_unet_", module), doraFile(t), golden.Path(t, "files", "locon.safetensors")
	own := tensors(t, filepath.Join(golden.Path(t, "tiny-sd1"), weights))[module+".weight"]
	update := func(path string) []float64 {
		all := tensors(t, path)
		down, up := all[name+".lora_down.weight"], all[name+".lora_up.weight"]
		const rank = 4
		in, d := len(down)/rank, make([]float64, len(own))
		for i := range d {
			for k := range rank {
				d[i] += float64(all[name+".alpha"][0]) / rank * float64(up[i/in*rank+k]) * float64(down[k*in+i%in])
			}
		}
		return d
	}
	magnitude, change, other := tensors(t, dora)[name+".dora_scale"], update(dora), update(plain)
	in := len(own) / len(magnitude)
	for _, c := range []struct{ plain, dora float64 }{{0, 1}, {0, 0.6}, {0.5, 1}, {-0.5, 0.3}} {
		want := make([]float64, len(own))
		for o, m := range magnitude {
			square := 0.0
			for i := o * in; i < (o+1)*in; i++ {
				square += (float64(own[i]) + change[i]) * (float64(own[i]) + change[i])
			}
			for i := o * in; i < (o+1)*in; i++ {
				w := float64(own[i]) + c.plain*other[i]
				want[i] = w + c.dora*(float64(m)/math.Sqrt(square)*(w+change[i])-w)
			}
		}
		loras := []engine.TunedFile{{Path: plain, Weight: c.plain}, {Path: dora, Weight: c.dora}}
		result := merge(t, engine.MergeRequest{Model: golden.Path(t, "tiny-sd1"), LoRAs: loras, Out: filepath.Join(t.TempDir(), "m")})
		for i, v := range tensors(t, filepath.Join(result.Path, weights))[module+".weight"] {
			if math.Abs(float64(v)-want[i]) > 1e-6*(1+math.Abs(want[i])) {
				t.Fatalf("weights %v: element %d is %g, want %g", c, i, v, want[i])
			}
		}
	}
}
