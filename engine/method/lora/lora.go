// Package lora inserts small low-rank layers beside the frozen ones and trains only those: y = W·x +
// alpha/rank · up·down·x (Hu et al., arXiv 2106.09685; convolutions as in LyCORIS' LoCon). Names, shapes and initial
// values are kohya's (sd-scripts networks/lora.py), so that the exported file loads everywhere.
package lora

import (
	"easel/engine"
	"easel/engine/method"
	"easel/engine/model"
)

func init() { method.Register(lora{}) }

type lora struct{}

// Info implements method.Method.
func (lora) Info() engine.MethodInfo {
	return engine.MethodInfo{
		Name:    "lora",
		Title:   "LoRA",
		Updates: "small low-rank layers inserted beside the model's own, which stay frozen",
		Element: engine.InsertedLayers,
		Good:    "learns most subjects and styles well, in a small file that can be combined with others",
		Harm:    "at too many steps it holds pictures fast instead of the subject",
		Files: []engine.FileForm{
			{Name: kohyaForm, Ending: ".safetensors", Title: "LoRA for A1111, ComfyUI and diffusers"},
			{Name: diffusersForm, Ending: ".safetensors", Title: "LoRA in the names of diffusers and PEFT, which few others read"},
		},
		Settings: []engine.Setting{
			{Name: "rank", Default: "16", Help: "inner width of the inserted layers, 1 to 512"},
			{Name: "alpha", Help: "strength: layers count alpha/rank; empty means rank"},
			{Name: "conv-rank", Help: "rank beside 3x3 convolutions, with targets all; empty means rank"},
			{Name: "conv-alpha", Help: "alpha beside 3x3 convolutions; empty means conv-rank"},
			{Name: "block-ranks", Help: "other ranks for parts of the networks, as down.0=4, mid=32, up.1.attentions=8, text=4; 0 inserts none there"},
			{Name: "rs-lora", Default: "off", Choices: []string{"off", "on"}, Help: "count layers alpha/√rank, so that large ranks do not weaken them (rsLoRA)"},
			{Name: "targets", Default: "auto", Choices: []string{"auto", "attention", "attention+ff", "all"},
				Help: "layers that get one: attention, attention with feed-forward and projections, or all with convolutions; auto is all for models below 256 px, else attention+ff"},
			{Name: "text-encoder", Default: "auto", Choices: []string{"auto", "off", "on"},
				Help: "train layers in the text encoder too; auto does for models below 256 px"},
			{Name: "text-rate", Help: "learning rate in the text encoder, as 5e-5, or its share of --rate, as 50%; empty means 100%"},
			{Name: "lora-plus", Help: "times that the up matrices learn faster than the down ones, as 16 (LoRA+); empty means 1"},
			{Name: "dora", Default: "off", Choices: []string{"off", "on"}, Help: "train the size of each output beside its direction (DoRA); more time for a step, and fewer programs read the file"},
			{Name: "dropout", Help: "share of the inner values that a step leaves out, 0 up to 1; empty means 0"},
			{Name: "rank-dropout", Help: "share of the ranks that a step leaves out for a picture; empty means 0"},
			{Name: "module-dropout", Help: "share of the inserted layers that a step leaves out; empty means 0"},
			{Name: "max-norm", Help: "largest Frobenius norm of a layer's weight change; what grows beyond is scaled back (kohya's scale_weight_norms); empty means none"},
		},
	}
}

// Start implements method.Method.
func (l lora) Start(m *model.Model, job engine.Job) (method.Tuning, error) {
	t := &tuning{model: m, seed: job.Seed, layers: map[string]*layer{}, from: &file{}}
	given := job.Settings
	var err error
	if job.From != "" {
		if t.from, err = read(m, job.From); err != nil {
			return nil, err
		}
		if given, err = t.from.complete(given); err != nil {
			return nil, err
		}
	}
	t.settings = method.ReadSettings(l.Info(), given)
	if err := t.read(t.settings, job); err != nil {
		return nil, err
	}
	if err := t.checkBlocks(); err != nil {
		return nil, err
	}
	return t, t.check()
}

// tuning implements method.Tuning.
type tuning struct {
	model.Unchanged
	model         *model.Model
	settings      *method.Settings
	from          *file // whose values training begins with; without modules where there is none
	seed          uint64
	targets, text string
	ranks         ranks
	rates         rates
	drop          dropout
	maxNorm       float64 // 0 is none
	dora          bool
	layers        map[string]*layer
	order         []*layer
}

// read takes the settings over.
func (t *tuning) read(s *method.Settings, job engine.Job) error {
	t.targets, t.text = s.Text("targets"), s.Text("text-encoder")
	// A small model has its looks in its convolutions, and few words it knows well.
	small := t.model.Resolution() < 256
	choose(&t.targets, small, "all", "attention+ff")
	choose(&t.text, small, "on", "off")
	t.ranks = readRanks(s)
	t.rates = readRates(s, job, t.TrainsText())
	t.drop = dropout{seed: t.seed, element: s.Share("dropout"), rank: s.Share("rank-dropout"), module: s.Share("module-dropout")}
	t.maxNorm = s.Float("max-norm", 0, 1e6)
	t.dora = s.Text("dora") == "on"
	return s.Err
}

// choose replaces "auto".
func choose(setting *string, small bool, forSmall, usual string) {
	if *setting != "auto" {
		return
	}
	*setting = usual
	if small {
		*setting = forSmall
	}
}

// Settings implements method.Tuning.
func (t *tuning) Settings() map[string]string { return t.settings.All() }

// TrainsText implements method.Tuning.
func (t *tuning) TrainsText() bool { return t.text == "on" }

// BeforeStep implements method.Tuning.
func (t *tuning) BeforeStep(step int) { t.drop.step, t.drop.on = step, true }

// AfterStep implements method.Tuning.
func (t *tuning) AfterStep(int) {
	t.drop.on = false
	t.holdNorms()
}
