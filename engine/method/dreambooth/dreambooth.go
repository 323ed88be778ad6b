// Package dreambooth trains the model's own weights: the whole UNet or a part of it, and the text encoder where that is
// asked for (Ruiz et al., arXiv 2208.12242). It inserts nothing; the loss updates what is there. Its other half, the prior
// preservation, is the training loop's and open to every method.
package dreambooth

import (
	"cmp"
	"context"
	"math"
	"strings"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
)

func init() { method.Register(dreambooth{}) }

type dreambooth struct{}

// The forms of file.
const (
	formCheckpoint = "checkpoint"
	formFolder     = "diffusers"
	formLoRA       = "lora"
)

// Info implements method.Method.
func (dreambooth) Info() engine.MethodInfo {
	return engine.MethodInfo{
		Name:    "dreambooth",
		Title:   "DreamBooth",
		Updates: "the UNet's own weights, or a part of them, and the text encoder's where asked",
		Element: engine.Weights,
		Good:    "has the most room to learn a subject's looks, and gives a whole model",
		Harm:    "forgets what the model knew unless the prior is preserved; needs the most memory and time, and writes the largest file",
		Files: []engine.FileForm{
			{Name: formCheckpoint, Ending: ".safetensors", Title: "whole model in one file, for A1111, ComfyUI and diffusers"},
			{Name: formFolder, Title: "whole model as a folder, for diffusers"},
			{Name: formLoRA, Ending: ".safetensors", Title: "the change of the weights as a LoRA, about as good as its rank allows"},
		},
		Settings: []engine.Setting{
			{Name: "train", Default: "unet", Choices: []string{"unet", "attention", "cross-attention"},
				Help: "weights of the UNet that change: all, those of attention, or those of attention to the prompt"},
			{Name: "text-encoder", Default: "auto", Choices: []string{"auto", "off", "on"},
				Help: "train the text encoder too; auto does for models below 256 px"},
			{Name: "text-until", Help: "step after which the text encoder stays as it is; empty trains it to the end"},
			{Name: "lora-rank", Default: "32", Help: "inner width of the file of form lora, 1 to 512"},
		},
	}
}

// Start implements method.Method.
func (d dreambooth) Start(m *model.Model, job engine.Job) (method.Tuning, error) {
	bad := func(format string, args ...any) error {
		return engine.Errorf("read settings", "", engine.BadInput, format, args...)
	}
	s := method.ReadSettings(d.Info(), job.Settings)
	t := &tuning{model: m, settings: s, train: s.Text("train"), weights: map[string]*weight{},
		until: s.Int("text-until", 0, 1, math.MaxInt32), rank: s.Int("lora-rank", 32, 1, 512)}
	small := m.Resolution() < 256
	t.text = s.Text("text-encoder") == "on" || s.Text("text-encoder") == "auto" && small
	switch {
	case s.Err != nil:
		return nil, s.Err
	case job.From != "":
		return nil, bad("DreamBooth begins with a whole model: name it with --model in place of --from")
	case t.until > 0 && !t.text:
		return nil, bad("text-until %d says how long the text encoder is trained, and it is not: add --text-encoder on", t.until)
	}
	for _, form := range job.Files {
		if form == formFolder && !m.IsFolder() {
			return nil, bad("a diffusers folder can be written only of a model that is one, which has its config files: choose the form checkpoint")
		}
	}
	return t, nil
}

// Reads implements method.Method.
func (dreambooth) Reads(kind format.FileKind) bool {
	return kind == format.KindCheckpoint || kind == format.KindFolder
}

// Apply implements method.Method: the file's weights stand in place of the model's.
func (dreambooth) Apply(m *model.Model, path string, weight float64) (model.Adapter, error) {
	return m.Replace(path, weight)
}

// weight is a trained tensor.
type weight struct {
	part  model.Part
	name  string // of diffusers
	value *kernel.Tensor
}

func (w *weight) parameter() string { return string(w.part) + "." + w.name }

// tuning implements method.Tuning.
type tuning struct {
	model.Unchanged
	method.Steady
	model    *model.Model
	settings *method.Settings
	train    string // which weights of the UNet
	text     bool   // the text encoder too
	until    int    // step after which the text encoder stays; 0 is never
	rank     int    // of an exported LoRA
	weights  map[string]*weight
	order    []*weight
	remark   string // on the file exported last
}

// wants says whether a weight is trained.
func (t *tuning) wants(w model.Weight) bool {
	switch {
	case w.Part == model.Text:
		return t.text
	case w.Part != model.UNet:
		return false
	case t.train == "attention":
		return strings.Contains(w.Name, ".attn1.") || strings.Contains(w.Name, ".attn2.")
	case t.train == "cross-attention":
		return strings.Contains(w.Name, ".attn2.")
	}
	return true
}

// Weight implements model.Adapter.
func (t *tuning) Weight(g *graph.Graph, w model.Weight) *graph.Node {
	if !t.wants(w) {
		return nil
	}
	own := t.weights[w.Leaf()]
	if own == nil {
		value, err := w.Own()
		if err != nil {
			g.Fail("%w", err)
			return nil
		}
		own = &weight{w.Part, w.Name, value}
		t.weights[w.Leaf()] = own
		t.order = append(t.order, own)
	}
	return g.Parameter(w.Leaf(), own.value)
}

// Settings implements method.Tuning.
func (t *tuning) Settings() map[string]string { return t.settings.All() }

// TrainsText implements method.Tuning.
func (t *tuning) TrainsText() bool { return t.text }

// Parameters implements method.Tuning.
func (t *tuning) Parameters() []method.Parameter {
	var ps []method.Parameter
	for _, w := range t.order {
		p := method.Parameter{Name: w.parameter(), Value: w.value, Rate: 1}
		if w.part == model.Text {
			p.Until = t.until
		}
		ps = append(ps, p)
	}
	return ps
}

// WeightChange implements method.Tuning.
func (t *tuning) WeightChange() float64 {
	var change, all float64
	for _, w := range t.order {
		before, after, err := t.values(w)
		if err != nil {
			return math.NaN()
		}
		for i, v := range before {
			d := float64(after[i]) - float64(v)
			change += d * d
			all += float64(v) * float64(v)
		}
	}
	if all == 0 {
		return 0
	}
	return math.Sqrt(change / all)
}

// values are a weight's before and after training.
func (t *tuning) values(w *weight) (before, after []float32, err error) {
	original, err := t.model.Original(w.part, w.name, w.value.Shape...)
	if err != nil {
		return nil, nil, err
	}
	defer original.LetGo()
	return original.Floats(), w.value.Floats(), nil
}

// changes are the trained weights for the writers of models.
func (t *tuning) changes() model.Changes {
	c := model.Changes{}
	for _, w := range t.order {
		if c[w.part] == nil {
			c[w.part] = map[string]*kernel.Tensor{}
		}
		c[w.part][w.name] = w.value
	}
	return c
}

// Export implements method.Tuning.
func (t *tuning) Export(path, form string, about method.About, dtype kernel.DType) error {
	t.remark = ""
	switch cmp.Or(form, formCheckpoint) {
	case formFolder:
		return t.model.WriteFolder(context.Background(), path, t.changes(), dtype)
	case formLoRA:
		return t.exportLoRA(path, about, dtype)
	}
	return t.model.WriteFile(path, t.changes(), dtype, about.LoRAMeta().CheckpointSpec())
}

// FileBytes is the size of a whole model (method.FileBytes).
func (t *tuning) FileBytes(dtype kernel.DType) int64 { return t.model.Numbers() * int64(dtype.Size()) }

// Remark implements method.Remarker.
func (t *tuning) Remark() string { return t.remark }
