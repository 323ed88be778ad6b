package format_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine/format"
)

// keys reads a table of formats.md 2.12 without its header row.
func keys(t *testing.T, name string) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "keys", name+".tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		row := strings.Split(strings.TrimSpace(line), "\t")
		if row[0] != "ldm_key" {
			rows = append(rows, row)
		}
	}
	return rows
}

// TestRefsOfTables translates every name of every table. The tables come from diffusers' and sd-scripts' own code.
func TestRefsOfTables(t *testing.T) {
	for _, table := range []string{"sd1_unet", "sd2_unet", "sdxl_unet", "vae"} {
		part := table[strings.LastIndexByte(table, '_')+1:]
		for _, row := range keys(t, table) {
			want := format.Ref{Part: part, Name: row[1], Of: 1}
			if refs := format.Refs(row[0]); len(refs) != 1 || refs[0] != want {
				t.Errorf("%s is %v, want %v", row[0], refs, want)
			}
			if part == "unet" {
				ema := "model_ema." + strings.ReplaceAll(strings.TrimPrefix(row[0], "model."), ".", "")
				if refs := format.Refs(ema); len(refs) != 1 || refs[0] != want {
					t.Errorf("%s is %v, want %v", ema, refs, want)
				}
			}
		}
	}
}

// TestRefsOfTextEncoders checks that the names translate into exactly those that transformers has.
func TestRefsOfTextEncoders(t *testing.T) {
	for _, test := range []struct {
		file, prefix, want, part string
		without                  []string // names that diffusers has beside
	}{
		{"clip_l_text", "cond_stage_model.transformer.", "clip_l_text", "text_encoder", nil},
		{"clip_l_text", "cond_stage_model.", "clip_l_text", "text_encoder", nil},
		{"clip_l_text", "conditioner.embedders.0.transformer.", "clip_l_text", "text_encoder", nil},
		{"sd2_openclip_h24", "cond_stage_model.model.", "sd2_text_hf23", "text_encoder", nil},
		{"sd2_openclip_h24", "conditioner.embedders.0.model.", "sd2_text_hf23", "text_encoder", nil},
		{"sdxl_openclip_bigg32", "conditioner.embedders.1.model.", "sdxl_text2_hf", "text_encoder_2", []string{"text_projection.weight"}},
	} {
		got := map[string]int{}
		for _, row := range keys(t, test.file) {
			for _, ref := range format.Refs(test.prefix + row[0]) {
				if got[ref.Name]++; ref.Part != test.part || strings.Contains(row[0], "in_proj") != (ref.Of == 3) {
					t.Errorf("%s%s is %v", test.prefix, row[0], ref)
				}
			}
		}
		for _, row := range keys(t, test.want) {
			if got[row[0]] != 1 && (len(test.without) == 0 || row[0] != test.without[0]) {
				t.Errorf("%s%s: %s occurs %d times", test.prefix, test.file, row[0], got[row[0]])
			}
			delete(got, row[0])
		}
		if len(got) > 0 {
			t.Errorf("%s%s: names that transformers has not: %v", test.prefix, test.file, got)
		}
	}
}

// TestRefsOfOldNames are names of 2022 and of other programs.
func TestRefsOfOldNames(t *testing.T) {
	for own, want := range map[string]string{
		"cond_stage_model.transformer.encoder.layers.3.mlp.fc1.weight":       "text_model.encoder.layers.3.mlp.fc1.weight",
		"cond_stage_model.transformer.embeddings.token_embedding.weight":     "text_model.embeddings.token_embedding.weight",
		"first_stage_model.encoder.mid_block.attentions.0.query.weight":      "encoder.mid_block.attentions.0.to_q.weight",
		"first_stage_model.decoder.mid_block.attentions.0.proj_attn.bias":    "decoder.mid_block.attentions.0.to_out.0.bias",
		"first_stage_model.decoder.up_blocks.3.resnets.0.conv_shortcut.bias": "decoder.up_blocks.3.resnets.0.conv_shortcut.bias",
		"first_stage_model.loss.discriminator.main.0.weight":                 "",
		"cond_stage_model.transformer.text_model.embeddings.position_ids":    "",
		"cond_stage_model.model.transformer.resblocks.23.ln_1.weight":        "",
		"cond_stage_model.model.text_projection":                             "",
		"model.diffusion_model.input_blocks.x.0.op.weight":                   "",
		"model.diffusion_model.input_blocks.3.1.norm.weight":                 "",
		"model.diffusion_model.input_blocks.1.0.unknown.weight":              "",
		"model.diffusion_model.middle_block":                                 "",
		"model_ema.decay":                                                    "",
		"model_ema.diffusion_modelinput_blocks":                              "",
		"model_ema.diffusion_model7unknown":                                  "",
		"betas":                                                              "",
		"":                                                                   "",
	} {
		name := ""
		if refs := format.Refs(own); len(refs) > 0 {
			name = refs[0].Name
		}
		if name != want {
			t.Errorf("%s is %q, want %q", own, name, want)
		}
	}
}
