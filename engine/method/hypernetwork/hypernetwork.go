// Package hypernetwork trains a second network beside the frozen model, of two kinds.
//
// The weight generator outputs the low-rank layers that stand beside every attention projection, from an embedding of
// each layer; the loss updates the generator alone (the reading of HyperDreamBooth, arXiv 2307.06949, that one person's
// pictures can train). What it outputs is exported as an ordinary LoRA.
//
// The classic kind is A1111's: small networks that change the context before keys and values are made of it
// (modules/hypernetworks/hypernetwork.py). It is exported as A1111's .pt, and as the equal LoRA where there is one.
package hypernetwork

import (
	"hash/fnv"
	"slices"

	"easel/engine"
	"easel/engine/method"
	"easel/engine/model"
)

func init() { method.Register(hypernetwork{}) }

type hypernetwork struct{}

// The kinds.
const (
	generatorKind = "generator"
	classicKind   = "classic"
)

// Forms of file.
var (
	loraForm  = engine.FileForm{Name: "lora", Ending: ".safetensors", Title: "LoRA for A1111, ComfyUI and diffusers; of the classic kind only where it is linear without bias"}
	a1111Form = engine.FileForm{Name: "a1111", Ending: ".pt", Title: "hypernetwork for A1111 and ComfyUI, of the classic kind"}
)

// settingsOf are the settings of each kind.
var settingsOf = map[string][]engine.Setting{
	generatorKind: {
		{Name: "rank", Help: "inner width of the generated layers, 1 to 64; empty is 1, or 8 for models below 256 px"},
		{Name: "basis", Help: "sizes of the frozen random bases in which down and up are generated (LiDB), such as 100,50; none generates them whole; empty is 100,50, or none for models below 256 px"},
		{Name: "embedding", Default: "32", Help: "numbers that stand for a layer, 1 to 1024"},
		{Name: "hidden", Default: "80", Help: "width of the generator, 1 to 4096"},
		{Name: "text-encoder", Default: "auto", Choices: []string{"auto", "off", "on"},
			Help: "generate layers for the text encoder too; auto does for models below 256 px"},
	},
	classicKind: {
		{Name: "structure", Default: "1,2,1", Help: "widths of the layers, as multiples of the context's"},
		{Name: "activation", Default: "linear", Choices: activationNames(), Help: "between the layers; swish is A1111's, a hard one"},
		{Name: "init", Default: initZero, Choices: initNames, Help: "first values; Zero changes nothing at step 0, the others are A1111's"},
		{Name: "layer-norm", Default: "off", Choices: []string{"off", "on"}, Help: "normalise after each layer; ComfyUI misreads such files"},
		{Name: "dropout", Help: "share left out in training after each layer, as many numbers as structure has, first and last 0; empty is none"},
		{Name: "bias", Default: "on", Choices: []string{"on", "off"}, Help: "layers add a bias; linear without it can be exported as a LoRA"},
		{Name: "widths", Default: "context", Help: "widths of the contexts that are changed: context (the prompt's), all (self-attention too), or numbers such as 768,320"},
	},
}

// Info implements method.Method.
func (hypernetwork) Info() engine.MethodInfo {
	kind := engine.Setting{Name: "kind", Default: generatorKind, Choices: []string{generatorKind, classicKind},
		Help: "generator outputs low-rank layers for every attention projection; classic is A1111's network on keys and values, which wants a rate of 5e-5 on full-size models"}
	return engine.MethodInfo{
		Name:     "hypernetwork",
		Title:    "Hypernetwork",
		Updates:  "a second network that outputs the inserted layers, or changes what keys and values are made of; the model stays frozen",
		Element:  engine.Generator,
		Good:     "learns a subject with the fewest trained numbers beside an embedding's",
		Harm:     "at too high a rate all prompts lose their shapes",
		Files:    []engine.FileForm{loraForm, a1111Form},
		Settings: slices.Concat([]engine.Setting{kind}, settingsOf[generatorKind], settingsOf[classicKind]),
	}
}

// Start implements method.Method.
func (h hypernetwork) Start(m *model.Model, job engine.Job) (method.Tuning, error) {
	s := method.ReadSettings(h.Info(), job.Settings)
	kind := s.Text("kind")
	if job.From != "" {
		s.Fail("a hypernetwork cannot go on from a file: leave out --from")
	}
	refuseOthers(s, kind)
	if s.Err != nil {
		return nil, s.Err
	}
	layers, err := m.Layers()
	if err != nil {
		return nil, err
	}
	if kind == classicKind {
		return newClassic(layers, job.Seed, m.UNet.CrossAttentionDim, s)
	}
	return newGenerator(layers, job.Seed, chooseSizes(s, m.Resolution() < 256), s)
}

// refuseOthers refuses a setting that belongs to another kind.
func refuseOthers(s *method.Settings, kind string) {
	for other, settings := range settingsOf {
		for _, d := range settings {
			if other != kind && s.Text(d.Name) != d.Default {
				s.Fail("--%s belongs to a %s hypernetwork: leave it out, or choose --kind %s", d.Name, other, other)
			}
		}
	}
}

// record are the settings that a kind goes by.
func record(s *method.Settings, kind string) map[string]string {
	own := map[string]string{"kind": kind}
	for _, d := range settingsOf[kind] {
		own[d.Name] = s.Text(d.Name)
	}
	return own
}

// stream numbers the random stream of a named tensor, so that its values do not depend on the others.
func stream(name string) int {
	h := fnv.New64a()
	h.Write([]byte(name))
	return int(h.Sum64() >> 1)
}
