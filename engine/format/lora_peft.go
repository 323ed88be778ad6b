package format

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"easel/engine"
)

// peftConfig is what counts of a network's LoraConfig (peft/tuners/lora/config.py).
type peftConfig struct {
	Type         string             `json:"peft_type"`
	Alpha        *float64           `json:"lora_alpha"`
	AlphaPattern map[string]float64 `json:"alpha_pattern"` // by the end of a module's path
	RankScaled   bool               `json:"use_rslora"`    // scale is alpha/sqrt(rank)
	Transposed   bool               `json:"fan_in_fan_out"`
}

// readPEFTConfigs finds the configurations of a LoRA's networks: all in the metadata, as diffusers writes them, or one
// in adapter_config.json beside peft's own file, which is of every network. None is no error.
func readPEFTConfigs(f *File) (map[string]peftConfig, error) {
	configs := map[string]peftConfig{}
	if text := f.Metadata()["lora_adapter_metadata"]; text != "" {
		var all map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			return nil, engine.Errorf(opLoRA, f.Path(), engine.BadFile, "its lora_adapter_metadata is no JSON object: %w", err)
		}
		for _, network := range []string{"unet", "text_encoder", "text_encoder_2"} {
			if err := readPEFTConfig(f.Path(), withPrefix(all, network+"."), configs, network); err != nil {
				return nil, err
			}
		}
		return configs, nil
	}
	if loraNaming(f.Names()) != "peft" || f.Path() == "" {
		return configs, nil
	}
	path := filepath.Join(filepath.Dir(f.Path()), "adapter_config.json")
	raw, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return configs, nil
	} else if err != nil {
		return nil, engine.Errorf(opLoRA, path, engine.BadFile, "%w", err)
	}
	return configs, readPEFTConfig(path, raw, configs, "unet", "text_encoder", "text_encoder_2")
}

// withPrefix is the JSON object of the members whose names begin with prefix, without it.
func withPrefix(all map[string]json.RawMessage, prefix string) []byte {
	some := map[string]json.RawMessage{}
	for key, value := range all {
		if short, ok := strings.CutPrefix(key, prefix); ok {
			some[short] = value
		}
	}
	raw, err := json.Marshal(some)
	if err != nil {
		panic(err) // the values were read as JSON
	}
	return raw
}

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxJSON))
}

func readPEFTConfig(path string, raw []byte, into map[string]peftConfig, networks ...string) error {
	var c peftConfig
	if err := json.Unmarshal(raw, &c); err != nil {
		return engine.Errorf(opLoRA, path, engine.BadFile, "peft's configuration is damaged: %w", err)
	}
	switch {
	case c.Type != "" && c.Type != "LORA", c.Transposed:
		return engine.Errorf(opLoRA, path, engine.Unsupported, "peft's configuration is of an adapter that is no LoRA for Stable Diffusion (type %q)", c.Type)
	}
	for pattern := range c.AlphaPattern {
		if strings.ContainsAny(strings.TrimPrefix(pattern, "^"), `^$*+?()[]{}|\`) {
			return engine.Errorf(opLoRA, path, engine.Unsupported, "peft's alpha_pattern holds %q, a regular expression, which Easel cannot read", pattern)
		}
	}
	for _, n := range networks {
		into[n] = c
	}
	return nil
}

// alpha is that of the module at path: the pattern's that is the path or its end, else the network's, else the rank.
func (c peftConfig) alpha(path string, rank int) float64 {
	alpha := c.Alpha
	for at, more := path, true; more; _, at, more = strings.Cut(at, ".") {
		if a, ok := c.AlphaPattern[at]; ok {
			alpha = &a
			break
		}
	}
	switch a, ok := c.AlphaPattern["^"+path]; {
	case ok:
		alpha = &a
	case alpha == nil:
		return float64(rank)
	}
	if c.RankScaled {
		return *alpha * math.Sqrt(float64(rank))
	}
	return *alpha
}
