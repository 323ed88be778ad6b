package format_test

import (
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
)

// TestCheckpointRefusals makes files of the right names and shapes: each refusal names what the file is, and what Easel
// trains, in one sentence; inspect says so too.
func TestCheckpointRefusals(t *testing.T) {
	const unet, text = "model.diffusion_model.", "cond_stage_model.transformer.text_model.final_layer_norm.weight"
	sd1 := func(channels int, more ...string) map[string][]int {
		shapes := map[string][]int{unet + "input_blocks.0.0.weight": {2, channels, 3, 3}, unet + "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": {2, 768}, text: {2}}
		for _, name := range more {
			shapes[name] = []int{2}
		}
		return shapes
	}
	sdxl := sd1(4, "conditioner.embedders.1.model.ln_final.weight")
	alone := sd1(4)
	delete(alone, text)
	for _, test := range []struct {
		name    string
		tensors map[string][]int
		says    string
		silent  bool // inspect has nothing to add to the kind
	}{
		{"inpainting", sd1(9), "this is an inpainting model of Stable Diffusion 1.x, whose UNet takes 9 channels", false},
		{"depth", sd1(5, "depth_model.x"), "this is a depth model", false},
		{"pix2pix", sd1(8), "this is a pix2pix model", false},
		{"upscaler", sd1(7), "this is an upscaling model", false},
		{"six channels", sd1(6), "this is a variant of Stable Diffusion 1.x, whose UNet takes 6 channels", false},
		{"SDXL", sdxl, "this is a checkpoint of Stable Diffusion XL", false},
		{"refiner", map[string][]int{unet + "input_blocks.0.0.weight": {2, 4, 3, 3}, "conditioner.embedders.0.model.ln_final.weight": {1280}}, "this is the refiner of Stable Diffusion XL", false},
		{"UNet of A1111", alone, "this is a UNet of Stable Diffusion 1.x without a text encoder", false},
		{"bare UNet", map[string][]int{"input_blocks.0.0.weight": {2, 4, 3, 3}, "input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": {2, 1024}}, "this is the UNet alone of Stable Diffusion 2.x", false},
		{"ControlNet", map[string][]int{"control_model.input_blocks.0.0.weight": {2, 4, 3, 3}, "model.diffusion_model.input_blocks.0.0.weight": {2, 4, 3, 3}}, "this is a ControlNet", false},
		{"SD3", map[string][]int{unet + "joint_blocks.0.x": {2}}, "Stable Diffusion 3", false},
		{"SD3 of diffusers", map[string][]int{"transformer_blocks.0.attn.add_q_proj.weight": {2, 2}}, "Stable Diffusion 3", false},
		{"Flux", map[string][]int{"double_blocks.0.x": {2}}, "Flux", false},
		{"Flux of diffusers", map[string][]int{"single_transformer_blocks.0.x": {2}}, "Flux", false},
		{"DiT", map[string][]int{"x_embedder.proj.weight": {2}}, "a diffusion transformer", false},
		{"LoRA", map[string][]int{"lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight": {4, 2, 1, 1}}, "this is a LoRA of Stable Diffusion 1.x", true},
		{"embedding", map[string][]int{"emb_params": {1, 768}}, "this is a textual inversion of Stable Diffusion 1.x", true},
		{"hypernetwork", map[string][]int{"768.0.linear.0.weight": {2, 2}, "768.1.linear.0.weight": {2, 2}}, "this is a hypernetwork", true},
		{"VAE", map[string][]int{"decoder.up.0.block.0.norm1.weight": {2}}, "this is a VAE", true},
		{"text encoder", map[string][]int{"text_model.final_layer_norm.weight": {2}}, "this is a text encoder", true},
		{"BLIP", map[string][]int{"text_decoder.cls.predictions.transform.dense.weight": {2, 2}}, "this is a BLIP captioner", true},
		{"tagger", vit("pos_embed"), "this is a WD tagger", true},
		{"other", map[string][]int{"a": {1, 2, 3}, "b": {2}}, "a file of tensors whose use is not known", true},
	} {
		path := filepath.Join(t.TempDir(), "x")
		var tensors []format.Named
		for name, shape := range test.tensors {
			tensors = append(tensors, format.Named{Name: name, Tensor: kernel.New(kernel.F16, shape...)})
		}
		if err := format.Write(path, tensors, nil); err != nil {
			t.Fatal(err)
		}
		_, err := format.OpenCheckpoint(path)
		if engine.KindOf(err) != engine.Unsupported || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), format.Trains) {
			t.Errorf("%s: %v, want %q", test.name, err, test.says)
		}
		_, err = format.OpenVAE(path)
		if engine.KindOf(err) != engine.Unsupported || !strings.Contains(err.Error(), "a VAE with encoder and decoder is needed") {
			t.Errorf("%s as a VAE: %v", test.name, err)
		}
		info, err := format.Inspect(path)
		if err != nil || strings.Contains(info.Note, format.Trains) == test.silent {
			t.Errorf("%s: %s, note %q, %v", test.name, info.Kind, info.Note, err)
		}
	}
}
