package method

import (
	"fmt"
	"strconv"

	"easel/engine"
)

// common are the settings that every method has. The command line has the same, as flags.
var common = []group{
	{"Steps", []field{
		whole("steps", "Steps", "how often the model is changed", func(j *engine.Job) *int { return &j.Steps }),
		number("rate", "Learning rate", "how far each step goes; 1e-4 is 0.0001", func(j *engine.Job) *float64 { return &j.Rate }),
		whole("batch", "Batch", "pictures a step; more take more time and memory", func(j *engine.Job) *int { return &j.Batch }),
		whole("accumulate", "Accumulate", "batches a step, whose gradients are averaged; 1 unless set", func(j *engine.Job) *int { return &j.Accumulate }),
		text("optimizer", "Optimizer", "how a step follows from the gradients", func(j *engine.Job) *string { return &j.Optimizer }, "adamw", "adamw8bit", "prodigy", "adafactor", "lion"),
		text("schedule", "Schedule", "how the learning rate changes over the steps", func(j *engine.Job) *string { return &j.Schedule },
			"constant", "constant_with_warmup", "linear", "cosine", "cosine_with_restarts", "polynomial", "one_cycle"),
		whole("warmup", "Warm-up", "steps over which the learning rate rises from 0", func(j *engine.Job) *int { return &j.Warmup }),
		whole("cycles", "Cycles", "falls of the schedule cosine_with_restarts; 3 unless set", func(j *engine.Job) *int { return &j.Cycles }),
		number("power", "Power", "of the schedule polynomial's fall; 1, a line, unless set", func(j *engine.Job) *float64 { return &j.Power }),
		number("clip_norm", "Largest gradient", "longer gradients are shortened to this; 1 unless set, -1 is off", func(j *engine.Job) *float64 { return &j.ClipNorm }),
		number("ema", "Average", "most that a running average of the trained values keeps at a step, as 0.99: the average is painted with and exported; empty is off", func(j *engine.Job) *float64 { return &j.EMA }),
		{name: "seed", title: "Seed", help: "number that fixes everything random", usual: "0", get: seed, set: setSeed},
		text("from", "Begin with", "path of a LoRA file that training goes on from; empty begins anew", func(j *engine.Job) *string { return &j.From }),
	}},
	{"Loss", []field{
		text("loss.kind", "Loss", "what a step makes small; huber and smooth_l1 count large errors less", func(j *engine.Job) *string { return &j.Loss.Kind }, "mse", "huber", "smooth_l1"),
		number("loss.huber_c", "Huber's limit", "error at which huber and smooth_l1 turn from square to linear, up to 1; 0.1 unless set", func(j *engine.Job) *float64 { return &j.Loss.HuberC }),
		text("loss.huber_schedule", "Huber's schedule", "how that limit depends on the noise", func(j *engine.Job) *string { return &j.Loss.HuberSchedule }, "constant", "exponential", "snr"),
		number("min_snr", "Min-SNR", "γ of min-SNR loss weighting: steps with little noise count less; empty is the method's own, -1 is off", func(j *engine.Job) *float64 { return &j.MinSNR }),
		yesNo("loss.debiased", "Debiased", "weighs each step by 1/√SNR; that triples the mean weight, so take a lower rate", func(j *engine.Job) *bool { return &j.Loss.Debiased }),
		yesNo("loss.masked", "Masked", "learns only where pictures are opaque, or where NAME-mask.png beside NAME.png is white", func(j *engine.Job) *bool { return &j.Loss.Masked }),
	}},
	{"Noise", []field{
		number("noise.offset", "Offset noise", "strength, for very dark or bright pictures; empty is off, 0.05 usual", func(j *engine.Job) *float64 { return &j.Noise.Offset }),
		number("noise.pyramid", "Pyramid noise", "weight of each coarser level, below 1; empty is off, 0.3 usual", func(j *engine.Job) *float64 { return &j.Noise.Pyramid }),
		number("noise.perturb", "Perturbation", "strength of noise that the target does not tell of; empty is off, 0.1 usual", func(j *engine.Job) *float64 { return &j.Noise.Perturb }),
		text("noise.timesteps", "Timesteps", "how much noise is how frequent; logit_normal prefers the middle", func(j *engine.Job) *string { return &j.Noise.Timesteps }, "uniform", engine.LogitNormal),
		number("noise.bias", "Timestep bias", "shift of logit_normal: below 0 for details, above 0 for composition", func(j *engine.Job) *float64 { return &j.Noise.Bias }),
		whole("noise.from", "First timestep", "that is trained; 0 has the least noise", func(j *engine.Job) *int { return &j.Noise.From }),
		whole("noise.to", "Last timestep", "before which training ends; empty is the model's last, usually 1000", func(j *engine.Job) *int { return &j.Noise.To }),
	}},
	{"Pictures and captions", []field{
		whole("resolution", "Resolution", "side of the training pictures, in pixels", func(j *engine.Job) *int { return &j.Resolution }),
		yesNo("views.flip", "Mirror", "shows pictures mirrored half of the time; not for faces, text or anything with a left and a right", func(j *engine.Job) *bool { return &j.Views.Flip }),
		whole("views.crops", "Cuts", "random cuts of each picture that does not fit its shape; 1, the middle, unless set", func(j *engine.Job) *int { return &j.Views.Crops }),
		whole("views.hold_out", "Held out", "pictures, the last by name, that are not trained on: their loss tells whether training still helps", func(j *engine.Job) *int { return &j.Views.HoldOut }),
		number("captions.dropout", "Caption dropout", "probability of an empty prompt, 0 to 1; empty is off, 0.05 usual", func(j *engine.Job) *float64 { return &j.Captions.Dropout }),
		yesNo("captions.shuffle", "Shuffle captions", "reorders what stands between a caption's commas in every step; slower", func(j *engine.Job) *bool { return &j.Captions.Shuffle }),
		whole("captions.keep", "Keep in front", "parts of a shuffled caption that stay at the front", func(j *engine.Job) *int { return &j.Captions.Keep }),
		list("captions.templates", "Templates", "texts around captions, of which each step takes one, separated by semicolons; {caption}, {word} and {class} are filled in",
			func(j *engine.Job) *[]string { return &j.Captions.Templates }),
	}},
	{"What shall not be forgotten", []field{
		number("preserve", "Preserve", "weight with which other prompts are kept as they were; -1 is off", func(j *engine.Job) *float64 { return &j.Preserve }),
		number("prior.weight", "Class pictures", "weight of pictures of the class, trained beside yours so that it is not forgotten; empty is off, 1 usual", func(j *engine.Job) *float64 { return &j.Prior.Weight }),
		whole("prior.count", "Their number", "of class pictures; empty is as many as suit yours", func(j *engine.Job) *int { return &j.Prior.Count }),
		text("prior.prompt", "Their prompt", "that shows the class; empty is \"a photo of a {class}\"", func(j *engine.Job) *string { return &j.Prior.Prompt }),
		text("prior.images", "Their folder", "path of a folder with class pictures; empty lets the model paint them", func(j *engine.Job) *string { return &j.Prior.Images }),
	}},
	{"Grid, model and file", []field{
		whole("sample_steps", "Sampling steps", "to paint a picture of the grid", func(j *engine.Job) *int { return &j.SampleSteps }),
		number("guidance", "Guidance", "how strictly pictures of the grid follow their prompt", func(j *engine.Job) *float64 { return &j.Guidance }),
		text("dtype", "Precision", "number type to compute in", func(j *engine.Job) *string { return &j.DType }, "auto", "f32", "bf16"),
		text("vae", "VAE", "path of a file with a VAE in place of the model's own", func(j *engine.Job) *string { return &j.VAE }),
		text("prediction", "Prediction", "what the model predicts; empty asks its files", func(j *engine.Job) *string { return &j.Prediction }, "epsilon", "v"),
		text("export", "File precision", "number type in the exported file", func(j *engine.Job) *string { return &j.Export }, "f16", "f32", "bf16"),
	}},
}

func seed(j engine.Job) string { return blank(fmt.Sprint(j.Seed)) }

func setSeed(j *engine.Job, s string) error {
	seed, err := strconv.ParseUint(orZero(s), 10, 63)
	if err != nil {
		return fmt.Errorf("a whole number from 0")
	}
	j.Seed = seed
	return nil
}
