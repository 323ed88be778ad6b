package model

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"easel/engine/format"
)

// scheduler is the scheduler_config.json of all Stable Diffusion 1.x and 2.x; %t: whether the last step is pure noise.
const scheduler = `{"_class_name":"PNDMScheduler","beta_start":0.00085,"beta_end":0.012,"beta_schedule":"scaled_linear",` +
	`"num_train_timesteps":1000,"steps_offset":1,"set_alpha_to_one":false,"rescale_betas_zero_snr":%t}`

// predictionOf says what the UNet of a single file predicts, "epsilon" or "v". No shape shows it; in this order
// (formats.md 2.10): a .yaml file of the same name, as A1111 wants it, the metadata, a marker tensor, and for SD 2.x
// what ComfyUI's model detection found: a norm near the output spreads more in the models for 768 px.
func predictionOf(c *format.Checkpoint, unet format.Source) string {
	if p := predictionOfYAML(c.Path()); p != "" {
		return p
	}
	switch p := c.Metadata()["modelspec.prediction_type"]; {
	case strings.HasPrefix(p, "v"):
		return "v"
	case strings.HasPrefix(p, "eps"):
		return "epsilon"
	case c.Has("v_pred"):
		return "v"
	}
	if dim(unet, "mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight", 1) == sd2Width &&
		deviation(unet, "up_blocks.3.attentions.2.transformer_blocks.0.norm1.bias") > 0.09 {
		return "v"
	}
	return "epsilon"
}

// maxYAML bounds a configuration that is read; A1111's have under 3 KB.
const maxYAML = 1 << 20

var parameterization = regexp.MustCompile(`(?m)^\s*parameterization:\s*["']?(\w+)`)

// predictionOfYAML reads the .yaml beside a file, empty where there is none. One that names nothing means epsilon.
func predictionOfYAML(path string) string {
	path = strings.TrimSuffix(path, filepath.Ext(path)) + ".yaml"
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || info.Size() > maxYAML {
		return ""
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	if found := parameterization.FindSubmatch(text); found != nil && string(found[1]) == "v" {
		return "v"
	}
	return "epsilon"
}

// deviation is the standard deviation of a tensor's elements, 0 where it cannot be read.
func deviation(s format.Source, name string) float64 {
	t, err := s.Tensor(name)
	if err != nil || t.Len() < 2 {
		return 0
	}
	var sum, squares float64
	values := t.Floats()
	for _, v := range values {
		sum += float64(v)
	}
	mean := sum / float64(len(values))
	for _, v := range values {
		squares += (float64(v) - mean) * (float64(v) - mean)
	}
	return math.Sqrt(squares / float64(len(values)-1))
}
