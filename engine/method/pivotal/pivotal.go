// Package pivotal trains a LoRA together with the vectors of the new word that calls its subject (pivotal tuning: Roich et
// al., arXiv 2106.05744; for diffusion models cloneofsimo's lora). It has no mathematics of its own: it is the two methods
// at once, by way of the registry.
package pivotal

import (
	"maps"
	"slices"

	"easel/engine"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
)

func init() { method.Register(pivotal{}) }

type pivotal struct{}

// The forms of file.
const (
	beside = "kohya"
	bundle = "bundle"
)

// The methods that are combined.
const (
	layers = "lora"
	words  = "textual-inversion"
)

// Parts implements method.Combined.
func (pivotal) Parts() []string { return []string{words, layers} }

// Info implements method.Method.
func (pivotal) Info() engine.MethodInfo {
	return engine.MethodInfo{
		Name:    "pivotal",
		Title:   "LoRA with a new word",
		Updates: "the vectors of a new word in the prompt, and small layers inserted beside the model's own",
		Element: engine.InsertedLayers,
		Good:    "the word carries part of the likeness, so that a small LoRA is enough and its strength can be turned down",
		Harm:    "two files must be kept together; without its word the LoRA is half of what was trained",
		Files: []engine.FileForm{
			{Name: beside, Ending: ".safetensors", Title: "LoRA for A1111, ComfyUI and diffusers, and beside it the word's embedding (.pt)"},
			{Name: bundle, Ending: ".safetensors", Title: "LoRA with the word inside, for A1111 alone"},
		},
		Settings: []engine.Setting{
			{Name: "word-rate", Default: "5", Help: "learning rate of the new word's vectors, as a multiple of the layers'"},
		},
	}
}

// Start implements method.Method.
func (p pivotal) Start(m *model.Model, job engine.Job) (method.Tuning, error) {
	s := method.ReadSettings(method.InfoOf(p), job.Settings)
	ratio := s.Float("word-rate", 5, 1e4)
	if s.Err != nil {
		return nil, s.Err
	}
	lora, err := part(m, layers, job)
	if err != nil {
		return nil, err
	}
	job.From = "" // a LoRA's, which the word does not begin with
	word, err := part(m, words, job)
	if err != nil {
		return nil, err
	}
	settings := word.Settings()
	maps.Copy(settings, lora.Settings())
	settings["word-rate"] = s.Text("word-rate")
	return &tuning{Adapters: model.Adapters{word, lora}, word: word, lora: lora, ratio: ratio, settings: settings}, nil
}

// part starts one of the methods with those of the job's settings that are its own.
func part(m *model.Model, name string, job engine.Job) (method.Tuning, error) {
	me, err := method.ByName(name)
	if err != nil {
		return nil, err
	}
	given := job.Settings
	job.Settings = map[string]string{}
	for _, s := range me.Info().Settings {
		if v, ok := given[s.Name]; ok {
			job.Settings[s.Name] = v
		}
	}
	return me.Start(m, job)
}

// tuning implements method.Tuning: first the word, then the layers.
type tuning struct {
	model.Adapters
	word, lora method.Tuning
	ratio      float64 // of the word's rate to the job's
	settings   map[string]string
}

// Settings implements method.Tuning.
func (t *tuning) Settings() map[string]string { return t.settings }

// TrainsText implements method.Tuning.
func (t *tuning) TrainsText() bool { return true }

// Parameters implements method.Tuning.
func (t *tuning) Parameters() []method.Parameter {
	ps := slices.Clone(t.word.Parameters())
	for i := range ps {
		ps[i].Rate *= t.ratio
	}
	return append(ps, t.lora.Parameters()...)
}

// WeightChange implements method.Tuning: of the layers, which are what is added to the model.
func (t *tuning) WeightChange() float64 { return t.lora.WeightChange() }

// BeforeStep implements method.Tuning.
func (t *tuning) BeforeStep(step int) { t.word.BeforeStep(step); t.lora.BeforeStep(step) }

// AfterStep implements method.Tuning.
func (t *tuning) AfterStep(step int) { t.word.AfterStep(step); t.lora.AfterStep(step) }

// FileBytes is the expected size of the LoRA.
func (t *tuning) FileBytes(dtype kernel.DType) int64 { return method.FileBytes(t.lora, dtype) }
