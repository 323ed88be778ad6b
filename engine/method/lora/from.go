package lora

import (
	"maps"
	"strconv"
	"strings"

	"easel/engine"
)

const opFrom = "begin with LoRA"

// complete fills in the settings that are not given by those of the file that training begins with. Its layers keep
// their rank and alpha, and go on as LoRA or as DoRA, so that others that are given must be the same.
func (f *file) complete(given map[string]string) (map[string]string, error) {
	settings := map[string]string{}
	maps.Copy(settings, given)
	for _, kind := range []struct {
		spatial     bool
		of          string
		rank, alpha string
	}{{false, "layers", "rank", "alpha"}, {true, "convolutions", "conv-rank", "conv-alpha"}} {
		largest := f.largest(kind.spatial)
		if largest.rank == 0 {
			continue
		}
		if largest.rank > maxRank || !(largest.alpha > 0) || largest.alpha > maxAlpha {
			return nil, engine.Errorf(opFrom, f.path, engine.Unsupported, "its %s have rank %d and alpha %g; Easel trains ranks up to %d, with an alpha above 0 and at most %g",
				kind.of, largest.rank, largest.alpha, maxRank, maxAlpha)
		}
		rank, alpha := strconv.Itoa(largest.rank), strconv.FormatFloat(float64(largest.alpha), 'g', -1, 32)
		for name, value := range map[string]string{kind.rank: rank, kind.alpha: alpha} {
			if settings[name] == "" {
				settings[name] = value
			} else if !sameNumber(settings[name], value) {
				return nil, f.refuse("its %s have rank %s and alpha %s, with which training goes on; %s cannot be %s", kind.of, rank, alpha, name, settings[name])
			}
		}
	}
	if err := f.completeKind(settings); err != nil {
		return nil, err
	}
	f.chooseTargets(settings)
	return settings, nil
}

// completeKind takes DoRA from the file, and refuses settings that would give its layers another effect.
func (f *file) completeKind(settings map[string]string) error {
	is, kind := "off", "a plain LoRA"
	for _, m := range f.modules {
		if m.Magnitude != nil {
			is, kind = "on", "a DoRA"
		}
	}
	switch {
	case settings["dora"] != "" && settings["dora"] != is:
		return f.refuse("it is %s and goes on as one; dora cannot be %s", kind, settings["dora"])
	case settings["rs-lora"] == "on":
		return f.refuse("its alphas say how much its layers count; rs-lora cannot be on")
	case settings["block-ranks"] != "":
		return f.refuse("its layers have their ranks; block-ranks cannot give others")
	}
	settings["dora"] = is
	return nil
}

func (f *file) refuse(format string, args ...any) error {
	return engine.Errorf(opFrom, f.path, engine.BadInput, format, args...)
}

func sameNumber(a, b string) bool {
	x, err := strconv.ParseFloat(a, 32)
	y, _ := strconv.ParseFloat(b, 32)
	return err == nil && x == y
}

// largest is the largest rank, with its alpha, beside convolutions wider than 1x1 or beside all other layers.
func (f *file) largest(ofSpatial bool) (s size) {
	for _, name := range f.names() {
		if m := f.modules[name]; spatial(m.Down.Shape) == ofSpatial && m.Rank() > s.rank {
			s = size{m.Rank(), m.Alpha}
		}
	}
	return s
}

// chooseTargets takes the fewest targets that hold the file's layers, where the choice is left to the method.
func (f *file) chooseTargets(settings map[string]string) {
	targets, text := "attention", "off"
	for name := range f.modules {
		switch {
		case !strings.HasPrefix(name, "lora_unet_"):
			text = "on"
		case !strings.Contains(name, "_attentions_"):
			targets = "all"
		case !strings.Contains(name, "_attn1_") && !strings.Contains(name, "_attn2_") && targets == "attention":
			targets = "attention+ff"
		}
	}
	for name, value := range map[string]string{"targets": targets, "text-encoder": text} {
		if settings[name] == "" || settings[name] == "auto" {
			settings[name] = value
		}
	}
}

// check refuses a file with layers that the targets leave out.
func (t *tuning) check() error {
	if len(t.from.modules) == 0 {
		return nil
	}
	layers, err := t.model.Layers()
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, l := range layers {
		wanted[kohyaName(l)] = t.wants(l)
	}
	for _, name := range t.from.names() {
		switch {
		case wanted[name]:
		case strings.HasPrefix(name, "lora_unet_"):
			return t.from.refuse("it holds %s, which targets %s leaves out; choose more targets, or leave the choice to the file", name, t.targets)
		default:
			return t.from.refuse("it holds layers of the text encoder, so that text-encoder cannot be off")
		}
	}
	return nil
}
