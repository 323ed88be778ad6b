package blip

import (
	"encoding/json"

	"easel/engine"
	"easel/engine/model/vit"
)

const opConfig = "read captioner config"

// TextConfig is the text_config of config.json: BERT as a decoder (salesforce/BLIP models/med.py).
type TextConfig struct {
	VocabSize        int     `json:"vocab_size"`
	HiddenSize       int     `json:"hidden_size"`
	IntermediateSize int     `json:"intermediate_size"`
	Layers           int     `json:"num_hidden_layers"`
	Heads            int     `json:"num_attention_heads"`
	MaxPositions     int     `json:"max_position_embeddings"`
	HiddenAct        string  `json:"hidden_act"`
	LayerNormEps     float32 `json:"layer_norm_eps"`
	Begin            int32   `json:"bos_token_id"` // [DEC], the first token of a caption
	End              int32   `json:"sep_token_id"` // [SEP]
}

// Config is a captioner's config.json.
type Config struct {
	Vision vit.Config `json:"vision_config"`
	Text   TextConfig `json:"text_config"`
}

// baseConfig is BLIP base, whose numbers count where a config.json is silent.
func baseConfig() Config {
	return Config{
		Vision: vit.Config{HiddenSize: 768, IntermediateSize: 3072, Layers: 12, Heads: 12, ImageSize: 384, PatchSize: 16, HiddenAct: "gelu", LayerNormEps: 1e-5},
		Text: TextConfig{VocabSize: 30524, HiddenSize: baseWidth, IntermediateSize: 3072, Layers: 12, Heads: baseHeads, MaxPositions: 512, HiddenAct: "gelu",
			LayerNormEps: 1e-12, Begin: 30522, End: 102},
	}
}

// The published text decoders, base and large, are of this width and have so many heads. Config files from before April
// 2023 say 8, which is wrong (huggingface/transformers#22625).
const (
	baseWidth = 768
	baseHeads = 12
)

// ParseConfig reads and checks a captioner's config.json. Errors: BadFile, Unsupported.
func ParseConfig(text []byte) (Config, error) {
	c := baseConfig()
	c.Text.Heads = 8 // as in transformers; check mends it
	if err := json.Unmarshal(text, &c); err != nil {
		return c, engine.Errorf(opConfig, "", engine.BadFile, "%w", err)
	}
	return c, c.check()
}

func (c *Config) check() error {
	v, t := &c.Vision, &c.Text
	if t.HiddenSize == baseWidth {
		t.Heads = baseHeads
	}
	if v.HiddenAct != "gelu" || t.HiddenAct != "gelu" {
		return engine.Errorf(opConfig, "", engine.Unsupported, "activations %q and %q are not known", v.HiddenAct, t.HiddenAct)
	}
	if err := v.Check(); err != nil {
		return err
	}
	const most = 1 << 15
	switch {
	case min(t.VocabSize, t.HiddenSize, t.IntermediateSize, t.Layers, t.Heads, t.MaxPositions) < 1,
		max(t.HiddenSize, t.IntermediateSize, t.MaxPositions) > most, t.VocabSize > 1<<20, t.Layers > 1<<10, t.HiddenSize%t.Heads != 0:
		return engine.Errorf(opConfig, "", engine.BadFile, "the text sizes do not fit together: width %d, %d heads, %d layers", t.HiddenSize, t.Heads, t.Layers)
	case min(t.Begin, t.End) < 0 || int(max(t.Begin, t.End)) >= t.VocabSize:
		return engine.Errorf(opConfig, "", engine.BadFile, "the tokens %d and %d around a caption are not among the %d", t.Begin, t.End, t.VocabSize)
	}
	return nil
}
