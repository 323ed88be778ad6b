package lora

import (
	"maps"
	"strconv"
	"strings"

	"easel/engine"
)

const opFrom = "begin with LoRA"

// complete fills in the settings that are not given by those of the file that training begins with. Its layers keep
// their rank and alpha, so others that are given must be the same.
func (f *file) complete(given map[string]string) (map[string]string, error) {
	settings := map[string]string{}
	maps.Copy(settings, given)
	for _, kind := range []struct {
		spatial     bool
		rank, alpha string
	}{{false, "rank", "alpha"}, {true, "conv-rank", "conv-alpha"}} {
		largest := f.largest(kind.spatial)
		if largest.rank == 0 {
			continue
		}
		rank, alpha := strconv.Itoa(largest.rank), strconv.FormatFloat(float64(largest.alpha), 'g', -1, 32)
		for name, value := range map[string]string{kind.rank: rank, kind.alpha: alpha} {
			if settings[name] == "" {
				settings[name] = value
			} else if !sameNumber(settings[name], value) {
				return nil, engine.Errorf(opFrom, f.path, engine.BadInput, "its %s is %s, which training keeps: leave out --%s %s", name, value, name, settings[name])
			}
		}
	}
	f.chooseTargets(settings)
	return settings, nil
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
			return engine.Errorf(opFrom, t.from.path, engine.BadInput, "it holds %s, which targets %s leaves out; choose more targets, or leave the choice to the file", name, t.targets)
		default:
			return engine.Errorf(opFrom, t.from.path, engine.BadInput, "it holds layers of the text encoder; leave out --text-encoder off")
		}
	}
	return nil
}
