package method

import (
	"fmt"
	"strconv"
	"strings"

	"easel/engine"
)

// field is a setting as the drawer shows it.
type field struct {
	name    string // as in engine.Choice: "rate", "settings.rank"
	title   string
	help    string // with the unit
	choices []string
	usual   string // what an empty value means, where that is known beforehand
	get     func(engine.Job) string
	set     func(*engine.Job, string) error // "" sets back
}

// fieldsOf are all settings that a job with a method has.
func fieldsOf(info engine.MethodInfo) []field {
	all := append([]field{}, common...)
	for _, s := range info.Settings {
		all = append(all, field{name: "settings." + s.Name, title: strings.ReplaceAll(s.Name, "-", " "), help: s.Help, choices: s.Choices, usual: s.Default,
			get: func(j engine.Job) string { return j.Settings[s.Name] },
			set: func(j *engine.Job, text string) error {
				settings := map[string]string{}
				for k, v := range j.Settings { // others may hold the old one
					settings[k] = v
				}
				if settings[s.Name] = text; text == "" {
					delete(settings, s.Name)
				}
				j.Settings = settings
				return nil
			}})
	}
	return all
}

// common are the settings that every method has.
var common = []field{
	whole("steps", "Steps", "how often the model is changed", func(j *engine.Job) *int { return &j.Steps }),
	number("rate", "Learning rate", "how far each step goes; 1e-4 is 0.0001", func(j *engine.Job) *float64 { return &j.Rate }),
	whole("batch", "Batch", "pictures a step; more take more time and memory", func(j *engine.Job) *int { return &j.Batch }),
	whole("resolution", "Resolution", "side of the training pictures, in pixels", func(j *engine.Job) *int { return &j.Resolution }),
	text("optimizer", "Optimizer", "how a step follows from the gradients", func(j *engine.Job) *string { return &j.Optimizer }, "adamw", "prodigy", "adafactor", "lion"),
	text("schedule", "Schedule", "how the learning rate changes over the steps", func(j *engine.Job) *string { return &j.Schedule },
		"constant", "constant_with_warmup", "linear", "cosine", "cosine_with_restarts", "polynomial"),
	whole("warmup", "Warm-up", "steps over which the learning rate rises from 0", func(j *engine.Job) *int { return &j.Warmup }),
	number("min_snr", "Min-SNR", "γ of min-SNR loss weighting: steps with little noise count less; empty is the method's own", func(j *engine.Job) *float64 { return &j.MinSNR }),
	number("clip_norm", "Largest gradient", "longer gradients are shortened to this", func(j *engine.Job) *float64 { return &j.ClipNorm }),
	number("preserve", "Preserve", "weight with which other prompts are kept as they were; -1 is off", func(j *engine.Job) *float64 { return &j.Preserve }),
	{name: "seed", title: "Seed", help: "number that fixes everything random", usual: "0",
		get: func(j engine.Job) string { return blank(fmt.Sprint(j.Seed)) },
		set: func(j *engine.Job, s string) error {
			seed, err := strconv.ParseUint(orZero(s), 10, 63)
			if err != nil {
				return fmt.Errorf("a whole number from 0")
			}
			j.Seed = seed
			return nil
		}},
	whole("sample_steps", "Sampling steps", "to paint a picture of the grid", func(j *engine.Job) *int { return &j.SampleSteps }),
	number("guidance", "Guidance", "how strictly pictures of the grid follow their prompt", func(j *engine.Job) *float64 { return &j.Guidance }),
	text("dtype", "Precision", "number type to compute in", func(j *engine.Job) *string { return &j.DType }, "auto", "f32", "bf16"),
	text("export", "File precision", "number type in the exported file", func(j *engine.Job) *string { return &j.Export }, "f16", "f32", "bf16"),
}

func whole(name, title, help string, of func(*engine.Job) *int) field {
	return field{name: name, title: title, help: help,
		get: func(j engine.Job) string { return blank(fmt.Sprint(*of(&j))) },
		set: func(j *engine.Job, s string) error {
			n, err := strconv.Atoi(orZero(s))
			if err != nil {
				return fmt.Errorf("a whole number")
			}
			*of(j) = n
			return nil
		}}
}

func number(name, title, help string, of func(*engine.Job) *float64) field {
	return field{name: name, title: title, help: help,
		get: func(j engine.Job) string { return blank(strconv.FormatFloat(*of(&j), 'g', -1, 64)) },
		set: func(j *engine.Job, s string) error {
			n, err := strconv.ParseFloat(strings.ReplaceAll(orZero(s), ",", "."), 64)
			if err != nil {
				return fmt.Errorf("a number, as 0.5 or 1e-4")
			}
			*of(j) = n
			return nil
		}}
}

func text(name, title, help string, of func(*engine.Job) *string, choices ...string) field {
	return field{name: name, title: title, help: help, choices: choices,
		get: func(j engine.Job) string { return *of(&j) },
		set: func(j *engine.Job, s string) error { *of(j) = s; return nil }}
}

// blank is empty for 0, which a job takes for "as the method suggests".
func blank(s string) string {
	if s == "0" {
		return ""
	}
	return s
}

func orZero(s string) string {
	if s = strings.TrimSpace(s); s == "" {
		return "0"
	}
	return s
}

// titleOf is how the page calls a choice of the engine's.
func titleOf(name string) string {
	for _, f := range common {
		if f.name == name {
			return f.title
		}
	}
	name = strings.TrimPrefix(name, "settings.")
	return sentence(strings.NewReplacer("-", " ", "_", " ").Replace(name))[:len(name)]
}
