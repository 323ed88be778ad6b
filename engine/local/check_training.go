package local

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"easel/engine"
)

func lossRules(job engine.Job) []rule {
	l := job.Loss
	_, known := lossKinds[l.Kind]
	huber := l.HuberC != 0 || l.HuberSchedule != ""
	return []rule{
		refuse(!known, "loss cannot be %q; choose one of %v", l.Kind, slices.Sorted(maps.Keys(lossKinds))),
		refuse(l.Kind == "mse" && huber, "huber-c and huber-schedule are for the losses huber and smooth_l1, and this is mse: leave them out, or choose one of those"),
		refuse(huber && !(l.HuberC > 0 && l.HuberC <= 1), "huber-c must be above 0 and at most 1, not %g", l.HuberC),
		refuse(huber && !slices.Contains([]string{"constant", "exponential", "snr"}, l.HuberSchedule),
			"huber-schedule cannot be %q; choose constant, exponential or snr", l.HuberSchedule),
		refuse(math.IsNaN(job.MinSNR) || math.IsInf(job.MinSNR, 0), "min-snr must be a number; -1 is off"),
		refuse(job.MinSNR > 0 && l.Debiased, "min-snr and debiased weigh the same timesteps in opposite ways: choose one"),
	}
}

func (p *pipeline) noiseRules(n engine.Noise) []rule {
	length := p.schedule.Len()
	return []rule{
		refuse(!within(n.Offset, 0, 1), "noise-offset must be from 0 to 1, not %g; 0.05 is usual", n.Offset),
		refuse(!within(n.Pyramid, 0, 0.95), "noise-pyramid must be from 0 to 0.95, not %g; 0.3 is usual", n.Pyramid),
		refuse(!within(n.Perturb, 0, 1), "noise-perturb must be from 0 to 1, not %g; 0.1 is usual", n.Perturb),
		refuse(n.Offset > 0 && n.Pyramid > 0, "noise-offset and noise-pyramid both change the coarse part of the noise: choose one"),
		refuse(n.From < 0 || n.To > length || n.From >= n.To, "timesteps must be a range within 0 to %d, not from %d to %d", length, n.From, n.To),
		refuse(n.Timesteps != "uniform" && n.Timesteps != engine.LogitNormal, "timesteps cannot be %q; choose uniform or %s", n.Timesteps, engine.LogitNormal),
		refuse(n.Bias != 0 && n.Timesteps != engine.LogitNormal, "a timestep-bias needs the timesteps %s: uniform ones have none", engine.LogitNormal),
		refuse(!within(n.Bias, -5, 5), "timestep-bias must be from -5 to 5, not %g", n.Bias),
	}
}

// blank is a part of a template that is filled in.
var blank = regexp.MustCompile(`\{[^{}]*\}`)

func captionRules(c engine.Captions) []rule {
	rules := []rule{
		refuse(!(c.Dropout >= 0 && c.Dropout < 1), "caption-dropout must be a probability from 0 to below 1, not %g; 0.05 is usual", c.Dropout),
		refuse(c.Keep < 0 || c.Keep > 0 && !c.Shuffle, "caption-keep is how many parts of a shuffled caption stay in front: it needs caption-shuffle"),
		refuse(len(c.Templates) > 1000, "there are %d caption templates; at most 1000 are taken", len(c.Templates)),
	}
	for _, t := range c.Templates {
		rules = append(rules, refuse(strings.TrimSpace(t) == "", "a caption template is empty"))
		for _, f := range blank.FindAllString(t, -1) {
			known := f == "{caption}" || f == "{word}" || f == "{class}"
			rules = append(rules, refuse(!known, "the caption template %q has %s; {caption}, {word} and {class} are filled in", t, f))
		}
	}
	return rules
}

func viewRules(v engine.Views) []rule {
	return []rule{refuse(v.Crops < 1 || v.Crops > 16, "crops must be from 1 to 16 cuts of a picture, not %d", v.Crops)}
}

// checkMasks refuses a masked loss without masks, and names the pictures that have none.
func (s *session) checkMasks() error {
	if !s.job.Loss.Masked {
		return nil
	}
	var without []string
	for _, it := range s.pictures.Items {
		if !it.HasMask() {
			without = append(without, it.Path)
		}
	}
	if len(without) == len(s.pictures.Items) {
		return engine.Errorf("check settings", s.job.Images, engine.BadInput,
			"masked needs masks, and no picture has one: make the background transparent, or put NAME-mask.png beside NAME.png, white where the subject is")
	}
	for _, path := range without {
		s.emit(engine.Event{Kind: engine.KindWarning, Warning: &engine.WarningEvent{Text: "this picture has no mask: all of it is trained", Path: path}})
	}
	return nil
}
