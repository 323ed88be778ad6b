package format_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
)

func TestInspectGoldenFiles(t *testing.T) {
	tests := []struct {
		file   string
		kind   format.FileKind
		base   string
		naming string
	}{
		{"tiny-sd1", format.KindFolder, "SD1", ""},
		{"tiny-sd2", format.KindFolder, "SD2", ""},
		{"tiny-sdxl", format.KindFolder, "SDXL", ""},
		{"tiny-sd1/tiny-sd1.safetensors", format.KindCheckpoint, "SD1", ""},
		{"tiny-sd2/tiny-sd2.safetensors", format.KindCheckpoint, "SD2", ""},
		{"tiny-sdxl/tiny-sdxl.safetensors", format.KindCheckpoint, "SDXL", ""},
		{"tiny-sd1/unet/diffusion_pytorch_model.safetensors", format.KindUNet, "SD1", ""},
		{"tiny-sd2/unet/diffusion_pytorch_model.safetensors", format.KindUNet, "SD2", ""},
		{"tiny-sdxl/unet/diffusion_pytorch_model.safetensors", format.KindUNet, "SDXL", ""},
		{"tiny-sd1/vae/diffusion_pytorch_model.safetensors", format.KindVAE, "", ""},
		{"tiny-sd1/text_encoder/model.safetensors", format.KindTextEncoder, "", ""},
		{"tiny-sd2/lora.safetensors", format.KindLoRA, "SD2", "kohya"},
		{"tiny-sdxl/lora.safetensors", format.KindLoRA, "SDXL", "kohya"},
		{"files/lora.safetensors", format.KindLoRA, "SD1", "kohya"},
		{"files/locon.safetensors", format.KindLoRA, "SD1", "kohya"},
		{"files/ti-a1111.safetensors", format.KindEmbedding, "", ""},
		{"files/ti-diffusers-1d.safetensors", format.KindEmbedding, "", ""},
		{"files/ti-a1111.pt", format.KindEmbedding, "", ""},
		{"files/hyper_a_linear.pt", format.KindHypernetwork, "", ""},
		{"files/ti-diffusers.bin", format.KindEmbedding, "", ""},
		{"blip/model.safetensors", format.KindCaptioner, "", ""},
		{"blip", format.KindCaptioner, "", ""},
		{"tiny-sd1/subset.ckpt", format.KindCheckpoint, "SD1", ""},
		{"tiny-sd1/subset-legacy.ckpt", format.KindCheckpoint, "SD1", ""},
		{"unet.safetensors", format.KindTensors, "", ""},
		{"README.md", format.KindUnknown, "", ""},
		{"images", format.KindUnknown, "", ""},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			info, err := format.Inspect(golden.Path(t, filepath.FromSlash(test.file)))
			if err != nil {
				t.Fatal(err)
			}
			got := []any{info.Kind, info.Base, info.Naming}
			if d := cmp.Diff([]any{test.kind, test.base, test.naming}, got); d != "" {
				t.Error(d)
			}
			var ranks []string
			for _, r := range info.Ranks {
				ranks = append(ranks, strconv.Itoa(r))
			}
			if dim := info.Metadata["ss_network_dim"]; dim == "" && ranks != nil || dim != "" && !slices.Contains(ranks, dim) {
				t.Errorf("ranks %v, ss_network_dim %q", ranks, dim)
			}
		})
	}
}

// TestInspectCounts uses a model whose counts are in formats.md: 686, 248 and 196 tensors.
func TestInspectCounts(t *testing.T) {
	info, err := format.Inspect(golden.Path(t, "tiny-sd1"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Tensors != 686+248+196 || !cmp.Equal(info.DTypes, []string{"F32"}) || info.Size < 4*info.Parameters || len(info.Shapes) == 0 {
		t.Errorf("%d tensors, %d parameters of %v in %d bytes", info.Tensors, info.Parameters, info.DTypes, info.Size)
	}
}

// vit are tensors of timm's vision transformer and more.
func vit(more ...string) map[string][]int {
	shapes := map[string][]int{"patch_embed.proj.weight": {2, 3, 1, 1}, "blocks.0.attn.qkv.weight": {6, 2}, "norm.weight": {2}, "head.weight": {5, 2}, "head.bias": {5}}
	for _, name := range more {
		shapes[name] = []int{1, 4, 2}
	}
	return shapes
}

// TestInspectShapes makes files of the right names and real widths.
func TestInspectShapes(t *testing.T) {
	const unet = "model.diffusion_model."
	tests := []struct {
		name         string
		tensors      map[string][]int
		kind         format.FileKind
		base, naming string
		note         bool
	}{
		{"SD1 UNet alone, inpainting", map[string][]int{unet + "input_blocks.0.0.weight": {2, 9, 3, 3}, unet + "input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight": {2, 768}}, format.KindCheckpoint, "SD1", "", true},
		{"SDXL refiner", map[string][]int{unet + "input_blocks.0.0.weight": {2, 4, 3, 3}, "conditioner.embedders.0.model.ln_final.weight": {1280}}, format.KindCheckpoint, "SDXL refiner", "", true},
		{"Flux", map[string][]int{unet + "double_blocks.0.x": {2}}, format.KindTensors, "", "", true},
		{"peft LoRA", map[string][]int{"base_model.model.down_blocks.0.attn2.to_k.lora_A.weight": {4, 768}, "base_model.model.down_blocks.0.attn2.to_k.lora_B.weight": {2, 4}}, format.KindLoRA, "SD1", "peft", false},
		{"diffusers LoRA", map[string][]int{"unet.down_blocks.0.attn2.to_k.lora_A.weight": {4, 1024}, "unet.down_blocks.0.attn2.to_k.lora_B.weight": {2, 4}}, format.KindLoRA, "SD2", "diffusers", false},
		{"old diffusers LoRA", map[string][]int{"unet.down_blocks.0.attn2.processor.to_k_lora.down.weight": {4, 768}}, format.KindLoRA, "SD1", "diffusers", false},
		{"LoRA in ComfyUI's names", map[string][]int{"diffusion_model.input_blocks.1.1.attn2.to_k.lora_down.weight": {4, 768}}, format.KindLoRA, "SD1", "diffusers", false},
		{"LoHa", map[string][]int{"lora_unet_a.hada_w1_a": {4, 4}}, format.KindLoRA, "", "kohya", true},
		{"DoRA in peft's names", map[string][]int{"unet.a.lora_A.weight": {4, 768}, "unet.a.lora_magnitude_vector": {4}}, format.KindLoRA, "", "diffusers", true},
		{"language model's LoRA", map[string][]int{"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": {4, 768}}, format.KindLoRA, "", "peft", true},
		{"cloneofsimo LoRA", map[string][]int{"unet:0:up": {2, 4}, "unet:0:down": {4, 768}}, format.KindLoRA, "", "cloneofsimo", false},
		{"SDXL embedding", map[string][]int{"clip_l": {2, 768}, "clip_g": {2, 1280}}, format.KindEmbedding, "SDXL", "", false},
		{"SD2 embedding", map[string][]int{"<cat>": {1024}}, format.KindEmbedding, "SD2", "", false},
		{"BLIP of Salesforce", map[string][]int{"model.visual_encoder.cls_token": {1, 1, 2}, "model.text_decoder.cls.predictions.transform.dense.weight": {2, 2}}, format.KindCaptioner, "", "", true},
		{"BLIP of all tasks", map[string][]int{"visual_encoder.cls_token": {1, 1, 2}, "text_encoder.embeddings.word_embeddings.weight": {2, 2}, "itm_head.weight": {2, 2},
			"text_decoder.cls.predictions.transform.dense.weight": {2, 2}}, format.KindCaptioner, "", "", true},
		{"BLIP that answers", map[string][]int{"vision_model.embeddings.class_embedding": {1, 1, 2}, "text_encoder.embeddings.word_embeddings.weight": {2, 2},
			"text_decoder.cls.predictions.transform.dense.weight": {2, 2}}, format.KindTensors, "", "", false},
		{"WD tagger", vit("pos_embed"), format.KindTagger, "", "", true},
		{"another classifier", vit("pos_embed", "cls_token"), format.KindTensors, "", "", false},
		{"VAE alone", map[string][]int{"encoder.down.0.block.0.conv1.weight": {2, 2, 3, 3}, "decoder.conv_in.weight": {2, 2, 3, 3}}, format.KindVAE, "", "", false},
	}
	for _, test := range tests {
		var tensors []format.Named
		for name, shape := range test.tensors {
			tensors = append(tensors, format.Named{Name: name, Tensor: kernel.New(kernel.F16, shape...)})
		}
		path := filepath.Join(t.TempDir(), "x.bin") // the name says nothing
		if err := format.Write(path, tensors, nil); err != nil {
			t.Fatal(err)
		}
		info, err := format.Inspect(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]any{test.kind, test.base, test.naming, test.note}, []any{info.Kind, info.Base, info.Naming, info.Note != ""}); d != "" {
			t.Errorf("%s: %q: %s", test.name, info.Note, d)
		}
	}
}

func TestInspectOthers(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	picturePath := filepath.Join(dir, "x.png")
	if err := format.WritePNG(picturePath, picture(), "a cat"); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path string
		kind format.FileKind
		err  engine.Kind // Internal, the zero, for none
	}{
		{picturePath, format.KindPicture, 0},
		{file("empty", ""), format.KindUnknown, 0},
		{file("a.txt", "function{ return 1 }"), format.KindUnknown, 0},
		{file("a.zip", "PK\x03\x04 no zip"), format.KindUnknown, 0},
		{file("a.safetensors", "short"), format.KindUnknown, engine.BadFile},
		{filepath.Join(dir, "missing"), format.KindUnknown, engine.NotFound},
		{dir, format.KindUnknown, 0},
	}
	for _, test := range tests {
		info, err := format.Inspect(test.path)
		if info.Kind != test.kind || engine.KindOf(err) != test.err {
			t.Errorf("%s: %s, %v", test.path, info.Kind, err)
		}
	}
}

func TestInspectRealFiles(t *testing.T) {
	dir := fixtures(t)
	for name, want := range map[string][]any{
		"cloneofsimo-lora/lora_disney.safetensors":                 {format.KindLoRA, "cloneofsimo"},
		"cloneofsimo-lora/converted/lora_disney.kohya.safetensors": {format.KindLoRA, "kohya"},
		"cloneofsimo-lora/lora_kiriko2.ti.pt":                      {format.KindEmbedding, ""},
		"ti-birb-style/learned_embeds.bin":                         {format.KindEmbedding, ""},
	} {
		info, err := format.Inspect(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(want, []any{info.Kind, info.Naming}); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		t.Logf("%s: %s %s %v %s", name, info.Kind, info.Base, info.Ranks, info.Note)
	}
}

// TestInspectDamagedPickles: what torch has written and what is cut off is damaged, not unknown.
func TestInspectDamagedPickles(t *testing.T) {
	for _, name := range []string{"subset.ckpt", "subset-legacy.ckpt"} {
		whole, err := os.ReadFile(golden.Path(t, "tiny-sd1", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{100, len(whole) / 2, len(whole) - 1} {
			path := filepath.Join(t.TempDir(), "x.ckpt")
			if err := os.WriteFile(path, whole[:size], 0o644); err != nil {
				t.Fatal(err)
			}
			if info, err := format.Inspect(path); engine.KindOf(err) != engine.BadFile {
				t.Errorf("%s cut off at %d: %s, %v", name, size, info.Kind, err)
			}
		}
	}
}
