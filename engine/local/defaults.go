package local

import (
	"cmp"
	"fmt"
	"slices"

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
	debiases := job.Loss.Debiased && job.MinSNR == 0 // in place of the presets' weighting
	converts := job.Rate == 0 && job.Optimizer != ""
	p.completePrior(&job, pictures) // before the presets: it takes the place of their preservation
	job, choices, err := p.presets.Fill(job, pictures, p.small())
	if err != nil {
		return job, nil, err
	}
	if converts {
		job.Rate = rateFor(job.Optimizer, job.Rate)
	}
	if debiases {
		job.MinSNR = 0
		choices = slices.DeleteFunc(choices, func(c engine.Choice) bool { return c.Name == "min_snr" })
	}
	job.Resolution = cmp.Or(job.Resolution, p.model.Resolution())
	job.Batch = cmp.Or(job.Batch, 1)
	job.Optimizer = cmp.Or(job.Optimizer, "adamw")
	job.ClipNorm = cmp.Or(job.ClipNorm, 1)
	p.completePrior(&job, pictures)
	job.Preserve = cmp.Or(job.Preserve, -1)
	job.SampleSteps = cmp.Or(job.SampleSteps, 20)
	set(&job.Guidance, 7.5, 4, p.small())
	job.Schedule = cmp.Or(job.Schedule, "constant")
	if job.Schedule == "constant" && job.Warmup > 0 {
		job.Schedule = "constant_with_warmup"
	}
	job = p.completeTraining(job)
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

// completeTraining fills in what is meant by leaving a training setting out. Those of a choice that is not made stay empty.
func (p *pipeline) completeTraining(job engine.Job) engine.Job {
	job.Accumulate = cmp.Or(job.Accumulate, 1)
	switch job.Schedule {
	case "cosine_with_restarts":
		job.Cycles = cmp.Or(job.Cycles, 3)
	case "polynomial":
		job.Power = cmp.Or(job.Power, 1)
	}
	job.Loss.Kind = cmp.Or(job.Loss.Kind, "mse")
	if job.Loss.Kind != "mse" { // c and its schedule as in sd-scripts
		job.Loss.HuberC = cmp.Or(job.Loss.HuberC, 0.1)
		job.Loss.HuberSchedule = cmp.Or(job.Loss.HuberSchedule, "snr")
	}
	job.Noise.Timesteps = cmp.Or(job.Noise.Timesteps, "uniform")
	job.Noise.To = cmp.Or(job.Noise.To, p.schedule.Len())
	job.Views.Crops = cmp.Or(job.Views.Crops, 1)
	return job
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
