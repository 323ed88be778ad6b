package format

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Families in kohya's words, for LoRAMeta.Base.
const (
	BaseSD1  = "sd_v1"
	BaseSD1V = "sd_v1_v" // with v-prediction
	BaseSD2  = "sd_v2"
	BaseSD2V = "sd_v2_v"
	BaseSDXL = "sdxl_base_v1-0"
)

// architectures are modelspec's names of the families.
var architectures = map[string]string{
	BaseSD1: "stable-diffusion-v1", BaseSD1V: "stable-diffusion-v1",
	BaseSD2: "stable-diffusion-v2-512", BaseSD2V: "stable-diffusion-v2-768-v",
	BaseSDXL: "stable-diffusion-xl-v1-base",
}

// LoRAMeta is what a LoRA file tells about its training (sd-scripts, train_network.py). Empty texts and times are
// left out; Base must be set, because A1111 hides files of the wrong family by it.
type LoRAMeta struct {
	Base       string // one of the Base constants
	BaseModel  string // file name of the base model
	OutputName string // also the name that A1111 shows
	Comment    string

	LearningRate, UNetRate, TextRate float64
	Optimizer, Schedule              string
	Precision                        string // "no", "fp16" or "bf16"
	Steps, MaxSteps                  int
	Epochs                           int
	BatchSize                        int
	Seed                             int64
	ClipSkip                         int
	Width, Height                    int // resolution of training, pixels
	Images                           int // repeats counted
	Started, Finished                time.Time

	Datasets []LoRADataset
	Buckets  []LoRABucket

	Author, License, Description string
	Trigger                      string // the words that call what was learned
}

// LoRADataset is one folder of training pictures.
type LoRADataset struct {
	Name    string         // kohya's "<repeats>_<words>"
	Repeats int            // per epoch
	Images  int            // files
	Tags    map[string]int // how often each tag of the captions occurs
}

// LoRABucket is one size that pictures were brought to.
type LoRABucket struct{ Width, Height, Images int }

// kohya returns the ss_ entries: all values are texts, nested ones JSON.
func (m LoRAMeta) kohya(modules []LoRAModule) map[string]string {
	dirs, tags := map[string]any{}, map[string]any{}
	for _, d := range m.Datasets {
		dirs[d.Name] = map[string]int{"n_repeats": d.Repeats, "img_count": d.Images}
		counts := d.Tags
		if counts == nil {
			counts = map[string]int{}
		}
		tags[d.Name] = counts
	}
	buckets := map[string]any{}
	for i, b := range m.Buckets {
		buckets[strconv.Itoa(i)] = map[string]any{"resolution": []int{b.Width, b.Height}, "count": b.Images}
	}
	entries := map[string]string{
		"ss_network_module":        "networks.lora",
		"ss_base_model_version":    m.Base,
		"ss_v2":                    pythonBool(strings.HasPrefix(m.Base, "sd_v2")),
		"ss_sd_model_name":         m.BaseModel,
		"ss_output_name":           m.OutputName,
		"ss_training_comment":      m.Comment,
		"ss_learning_rate":         pythonFloat(m.LearningRate),
		"ss_unet_lr":               pythonRate(m.UNetRate),
		"ss_text_encoder_lr":       pythonRate(m.TextRate),
		"ss_optimizer":             m.Optimizer,
		"ss_lr_scheduler":          m.Schedule,
		"ss_mixed_precision":       m.Precision,
		"ss_steps":                 strconv.Itoa(m.Steps),
		"ss_max_train_steps":       strconv.Itoa(m.MaxSteps),
		"ss_num_epochs":            strconv.Itoa(m.Epochs),
		"ss_batch_size_per_device": strconv.Itoa(m.BatchSize),
		"ss_total_batch_size":      strconv.Itoa(m.BatchSize),
		"ss_seed":                  strconv.FormatInt(m.Seed, 10),
		"ss_clip_skip":             pythonCount(m.ClipSkip),
		"ss_resolution":            fmt.Sprintf("(%d, %d)", m.Width, m.Height),
		"ss_num_train_images":      strconv.Itoa(m.Images),
		"ss_training_started_at":   unixTime(m.Started),
		"ss_training_finished_at":  unixTime(m.Finished),
		"ss_dataset_dirs":          jsonText(dirs),
		"ss_tag_frequency":         jsonText(tags),
		"ss_bucket_info":           jsonText(map[string]any{"buckets": buckets, "mean_img_ar_error": 0.0}),
		"ss_enable_bucket":         pythonBool(len(m.Buckets) > 0),
	}
	entries["ss_network_dim"], entries["ss_network_alpha"] = dimensions(modules, false)
	args := map[string]string{}
	if dim, alpha := dimensions(modules, true); dim != "" {
		args["conv_dim"], args["conv_alpha"] = dim, alpha
	}
	if slices.ContainsFunc(modules, func(m LoRAModule) bool { return m.Magnitude != nil }) {
		entries["ss_network_module"] = "lycoris.kohya" // which knows DoRA; kohya's own network does not
		args["algo"], args["dora_wd"], args["wd_on_output"] = "lora", "True", "True"
	}
	if len(args) > 0 {
		entries["ss_network_args"] = jsonText(args)
	}
	return withoutEmpty(entries)
}

// dimensions are the rank and alpha of the spatial convolutions, or of all other modules: empty where there are
// none, "Dynamic" (kohya's word) where they differ.
func dimensions(modules []LoRAModule, spatial bool) (dim, alpha string) {
	for _, m := range modules {
		if m.spatial() != spatial {
			continue
		}
		d, a := strconv.Itoa(m.Rank()), pythonFloat(float64(m.Alpha))
		if dim == "" {
			dim, alpha = d, a
		}
		if dim != d {
			dim = "Dynamic"
		}
		if alpha != a {
			alpha = "Dynamic"
		}
	}
	if dim == "" && !spatial { // a file of nothing but convolutions still needs both
		return dimensions(modules, true)
	}
	return dim, alpha
}

// modelSpec returns the modelspec entries (sd-scripts, library/sai_model_spec.py; Stability-AI/ModelSpec 1.0.1).
func (m LoRAMeta) modelSpec() map[string]string {
	entries := map[string]string{
		"modelspec.sai_model_spec":  "1.0.1",
		"modelspec.architecture":    architectures[m.Base] + "/lora",
		"modelspec.implementation":  "diffusers",
		"modelspec.title":           m.OutputName,
		"modelspec.resolution":      fmt.Sprintf("%dx%d", m.Width, m.Height),
		"modelspec.prediction_type": "epsilon",
		"modelspec.author":          m.Author,
		"modelspec.license":         m.License,
		"modelspec.description":     m.Description,
		"modelspec.trigger_phrase":  m.Trigger,
		"modelspec.usage_hint":      m.Trigger,
	}
	if m.Base == BaseSDXL {
		entries["modelspec.implementation"] = "https://github.com/Stability-AI/generative-models"
	}
	if strings.HasSuffix(m.Base, "_v") {
		entries["modelspec.prediction_type"] = "v"
	}
	if !m.Finished.IsZero() {
		entries["modelspec.date"] = m.Finished.UTC().Format("2006-01-02T15:04:05")
	}
	return withoutEmpty(entries)
}

// CheckpointSpec is what a whole model, trained likewise, tells of itself.
func (m LoRAMeta) CheckpointSpec() map[string]string {
	entries := m.modelSpec()
	entries["modelspec.architecture"] = architectures[m.Base]
	entries["format"] = "pt"
	return entries
}

func withoutEmpty(entries map[string]string) map[string]string {
	maps.DeleteFunc(entries, func(_, value string) bool { return value == "" })
	return entries
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // only maps of texts and whole numbers come here
	}
	return string(text)
}

func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// pythonFloat prints as Python's str does: always with a point or an exponent.
func pythonFloat(v float64) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if !strings.ContainsAny(s, ".eIN") {
		s += ".0"
	}
	return s
}

// pythonRate and pythonCount print zero, which stands for unset, as None.
func pythonRate(v float64) string {
	if v == 0 {
		return "None"
	}
	return pythonFloat(v)
}

func pythonCount(n int) string {
	if n == 0 {
		return "None"
	}
	return strconv.Itoa(n)
}

func unixTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatFloat(float64(t.UnixMicro())/1e6, 'f', 6, 64)
}
