package local

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/dataset"
)

// Columns of the before/after grid: the subject, the subject on other backgrounds than in its pictures, and prompts
// without it, which must stay as they were.
var (
	smallColumns = []string{"a photo of a {word} {class}", "a photo of a {word} {class} on a red background", "a photo of a {word} {class} on a yellow background",
		"a photo of a {word} {class} on a brown table, green wall", "a red apple on a white background", "a cat on a green background"}
	columns = []string{"a photo of a {word} {class}", "a photo of a {word} {class} on the beach", "a painting of a {word} {class}", "a photo of a cat"}
)

// preserved are prompts that a small model is held to while it learns: things and grounds that the built-in model
// knows, none of them in a column of the grid, so that the grid's unrelated columns show what was really kept. The
// class noun is not among them: the subject is to take its place.
func preserved() []string {
	things := []string{"dog", "robot", "mug", "yellow duck", "blue car", "teddy bear", "rocket", "house", "tree", "fish", "donut", "crown", "frog", "lion", "rose", "clock"}
	grounds := []string{"red", "blue", "yellow", "white", "green", "pink", "black", "cyan", "orange", "purple", "gray", "brown"}
	var prompts []string
	ground := func(i int) string { return grounds[i%len(grounds)] }
	for i, thing := range things {
		prompts = append(prompts,
			fmt.Sprintf("a %s on a %s background", thing, ground(i)),
			fmt.Sprintf("a %s on a %s background", thing, ground(i+3)),
			fmt.Sprintf("a photo of a %s on a %s background", thing, ground(i+8)),
			fmt.Sprintf("a photo of a %s on a %s table, %s wall", thing, ground(i+7), ground(i+4)))
	}
	return prompts
}

// complete fills in what the job leaves open: from the presets, and what they do not say.
func (p *pipeline) complete(job engine.Job, pictures int) (engine.Job, []engine.Choice, error) {
	converts := job.Rate == 0 && job.Optimizer != ""
	job, choices, err := p.presets.Fill(job, pictures, p.small())
	if err != nil {
		return job, nil, err
	}
	if converts {
		job.Rate = rateFor(job.Optimizer, job.Rate)
	}
	job.Resolution = cmp.Or(job.Resolution, p.model.Resolution())
	job.Batch = cmp.Or(job.Batch, 1)
	job.Optimizer = cmp.Or(job.Optimizer, "adamw")
	job.ClipNorm = cmp.Or(job.ClipNorm, 1)
	job.Preserve = cmp.Or(job.Preserve, -1)
	job.SampleSteps = cmp.Or(job.SampleSteps, 20)
	set(&job.Guidance, 7.5, 4, p.small())
	job.Schedule = cmp.Or(job.Schedule, "constant")
	if job.Schedule == "constant" && job.Warmup > 0 {
		job.Schedule = "constant_with_warmup"
	}
	job.DType = cmp.Or(job.DType, "auto")
	job.Export = cmp.Or(job.Export, "f16")
	if len(job.Prompts) == 0 {
		job.Prompts = columns
		if p.small() {
			job.Prompts = smallColumns
		}
	}
	return job, choices, nil
}

// rateFor turns AdamW's learning rate, which presets give, into that of the optimizer that a user chose: Prodigy finds its
// own, of which 1 is the whole, and Lion's steps are of full size in every element (Chen et al., arXiv 2302.06675, advise 3
// to 10 times less).
func rateFor(optimizer string, adamW float64) float64 {
	switch optimizer {
	case "prodigy":
		return 1
	case "lion":
		return 0.2 * adamW
	}
	return adamW
}

// set replaces a zero value by the default, of which small models have their own.
func set[T comparable](v *T, usual, small T, isSmall bool) {
	var zero T
	if *v != zero {
		return
	}
	*v = usual
	if isSmall {
		*v = small
	}
}

// check refuses a completed job that cannot run, in the user's words.
func (p *pipeline) check(job engine.Job) error {
	bad := func(format string, args ...any) error {
		return engine.Errorf("check settings", "", engine.BadInput, format, args...)
	}
	switch {
	case strings.TrimSpace(job.Word) == "":
		return bad("the subject needs a word of its own, such as zorbit")
	case job.Steps < 1 || job.Steps > 1_000_000:
		return bad("steps must be from 1 to 1000000, not %d", job.Steps)
	case job.Batch < 1 || job.Batch > 64:
		return bad("batch must be from 1 to 64, not %d", job.Batch)
	case job.Resolution < p.step() || job.Resolution > 2048 || job.Resolution%p.step() != 0:
		return bad("resolution must be a multiple of %d pixels for this model, up to 2048, not %d", p.step(), job.Resolution)
	case !(job.Rate > 0) || job.Rate > 10:
		return bad("the learning rate must be above 0 and at most 10, not %g", job.Rate)
	case job.Warmup < 0 || !finite(job.MinSNR) || !finite(job.ClipNorm) || !finite(job.Guidance):
		return bad("warmup, min-snr, clip and guidance must be numbers that are not negative")
	case math.IsNaN(job.Preserve) || job.Preserve > 1000:
		return bad("preserve must be a number up to 1000, not %g", job.Preserve)
	case !slices.Contains([]string{"f16", "f32", "bf16"}, job.Export):
		return bad("export cannot be %q; choose f16, f32 or bf16", job.Export)
	}
	return nil
}

func finite(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }

// step is the size in pixels that every level of the VAE and the UNet can halve.
func (p *pipeline) step() int {
	return p.model.VAE.Factor() << (len(p.model.UNet.BlockOutChannels) - 1)
}

// buckets are the shapes in which pictures are trained.
func (p *pipeline) buckets(resolution int) dataset.Buckets {
	step := p.step()
	side := max(resolution/step*step, step)
	return dataset.Buckets{Resolution: side, Min: max(side/2/step*step, step), Max: side * 2, Step: step}
}
