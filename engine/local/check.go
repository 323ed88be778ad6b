package local

import (
	"math"
	"slices"
	"strings"

	"easel/engine"
)

// rule is something that must not be so, and the sentence that says so.
type rule struct {
	broken bool
	text   string
	args   []any
}

func refuse(broken bool, text string, args ...any) rule { return rule{broken, text, args} }

// check refuses a completed job that cannot run, in the user's words.
func (p *pipeline) check(job engine.Job) error {
	rules := slices.Concat(p.runRules(job), rateRules(job), lossRules(job), p.noiseRules(job.Noise), captionRules(job.Captions), viewRules(job.Views), priorRules(job))
	for _, r := range rules {
		if r.broken {
			return engine.Errorf("check settings", "", engine.BadInput, r.text, r.args...)
		}
	}
	return nil
}

func (p *pipeline) runRules(job engine.Job) []rule {
	return []rule{
		refuse(strings.TrimSpace(job.Word) == "", "the subject needs a word of its own, such as zorbit"),
		refuse(job.Steps < 1 || job.Steps > 1_000_000, "steps must be from 1 to 1000000, not %d", job.Steps),
		refuse(job.Batch < 1 || job.Batch > 64, "batch must be from 1 to 64, not %d", job.Batch),
		refuse(job.Accumulate < 1 || job.Accumulate > 256, "accumulate must be from 1 to 256 batches a step, not %d", job.Accumulate),
		refuse(job.Resolution < p.step() || job.Resolution > 2048 || job.Resolution%p.step() != 0,
			"resolution must be a multiple of %d pixels for this model, up to 2048, not %d", p.step(), job.Resolution),
		refuse(!finite(job.Guidance), "guidance must be a number that is not negative"),
		refuse(math.IsNaN(job.Preserve) || job.Preserve > 1000, "preserve must be a number up to 1000, not %g", job.Preserve),
		refuse(!isStorage(job.Export), "export cannot be %q; choose f16, f32 or bf16", job.Export),
	}
}

func rateRules(job engine.Job) []rule {
	return []rule{
		refuse(!(job.Rate > 0) || job.Rate > 10, "the learning rate must be above 0 and at most 10, not %g", job.Rate),
		refuse(job.Optimizer == "prodigy" && job.Rate < 0.01,
			"prodigy finds the learning rate itself, and %g of it would learn next to nothing: leave rate out, or give about 1", job.Rate),
		refuse(job.Warmup < 0, "warmup must not be negative"),
		refuse(math.IsNaN(job.ClipNorm) || math.IsInf(job.ClipNorm, 0), "clip must be a number; -1 is off"),
		refuse(job.Warmup >= job.Steps, "a warmup of %d steps never ends in %d steps of training", job.Warmup, job.Steps),
		refuse(job.Cycles != 0 && job.Schedule != "cosine_with_restarts", "cycles is for the schedule cosine_with_restarts, and this is %s: leave one of them out", job.Schedule),
		refuse(job.Cycles < 0 || job.Cycles > job.Steps, "cycles must be from 1 to the number of steps, not %d", job.Cycles),
		refuse(job.Power != 0 && job.Schedule != "polynomial", "power is for the schedule polynomial, and this is %s: leave one of them out", job.Schedule),
		refuse(!finite(job.Power) || job.Power > 10, "power must be above 0 and at most 10, not %g", job.Power),
	}
}

// within says that a number is from least to most; NaN is not.
func within(v, least, most float64) bool { return v >= least && v <= most }

func finite(v float64) bool { return within(v, 0, math.MaxFloat64) }
