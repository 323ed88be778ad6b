package main

import (
	"flag"

	"easel/engine"
)

// jobFlags defines the flags that every method has.
func jobFlags(fs *flag.FlagSet, job *engine.Job) {
	fs.StringVar(&job.Method, "method", job.Method, "fine-tuning `method`")
	fs.StringVar(&job.Model, "model", job.Model, modelHelp)
	modelFlags(fs, &job.VAE, &job.Prediction)
	fs.StringVar(&job.Images, "images", job.Images, "`folder` with pictures of the subject, captions beside them in .txt files")
	fs.StringVar(&job.Word, "word", job.Word, "new `word` that will call the subject")
	fs.StringVar(&job.Class, "class", job.Class, "`what` the subject is, as \"dog\" or \"monster toy\"")
	fs.StringVar(&job.Goal, "goal", job.Goal, "`what` is taught: object, person, animal, style, or trying; chooses the settings that you leave out")
	fs.StringVar(&job.From, "from", job.From, "LoRA `file` that training begins with; empty begins anew. Its rank and alpha count, and its layers are trained where --targets names none")
	fs.StringVar(&job.Out, "out", job.Out, "project `folder` for the results; made where absent")
	fs.IntVar(&job.Steps, "steps", job.Steps, "training `steps`; 0 takes the method's own")
	fs.IntVar(&job.Batch, "batch", job.Batch, "pictures a `step`; 0 takes the method's own")
	fs.IntVar(&job.Resolution, "resolution", job.Resolution, "side of the training pictures in `pixels`; 0 takes the model's own")
	fs.Uint64Var(&job.Seed, "seed", job.Seed, "`number` that fixes everything random")
	rateFlags(fs, job)
	lossFlags(fs, job)
	noiseFlags(fs, &job.Noise)
	pictureFlags(fs, job)
	fs.Float64Var(&job.Preserve, "preserve", job.Preserve, "`weight` with which other prompts are kept as they were; 0 takes the model's own, -1 is off")
	priorFlags(fs, &job.Prior)
	fs.Float64Var(&job.EMA, "ema", job.EMA, "most that a running average of the trained values keeps at a step, as 0.99: the average is rendered and exported; 0 is off")
	fs.Var(&textList{&job.Prompts, false}, "prompt", "`prompt` of a column of the before/after grid; may be repeated; {word} and {class} are filled in")
	fs.IntVar(&job.SampleSteps, "sample-steps", job.SampleSteps, "`steps` to render a picture of the grid; 0 takes the model's own")
	fs.Float64Var(&job.Guidance, "guidance", job.Guidance, "guidance `scale` of the grid; 0 takes the model's own")
	fs.StringVar(&job.DType, "dtype", job.DType, "`type` to compute in: auto, f32, bf16")
	fs.Var((*byteCount)(&job.Memory), "memory", "most `memory` to take, as 2GB or 800MB: slower ways are chosen as needed; by default what the machine has free")
	fs.StringVar(&job.Export, "export", job.Export, "number `type` in the exported file: f16, f32, bf16")
	fs.Var(&textList{&job.Files, false}, "file", "`form` of file to write, where the method has several (easel methods lists them); may be repeated")
	fs.BoolVar(&job.Resume, "resume", job.Resume, "go on from the newest checkpoint in --out; its settings count where no flag is given")
}

// rateFlags are about how far a step goes.
func rateFlags(fs *flag.FlagSet, job *engine.Job) {
	fs.IntVar(&job.Accumulate, "accumulate", job.Accumulate, "`batches` a step, whose gradients are averaged; 0 is 1")
	fs.StringVar(&job.Optimizer, "optimizer", job.Optimizer, "`optimizer`: adamw, adamw8bit, prodigy, adafactor, lion; empty takes the method's own")
	fs.Float64Var(&job.Rate, "rate", job.Rate, "learning `rate`; 0 takes the method's own")
	fs.StringVar(&job.Schedule, "schedule", job.Schedule, "`schedule` of the learning rate: constant, linear, cosine, cosine_with_restarts, polynomial, one_cycle; empty takes the method's own")
	fs.IntVar(&job.Warmup, "warmup", job.Warmup, "`steps` over which the learning rate rises from 0")
	fs.IntVar(&job.Cycles, "cycles", job.Cycles, "`falls` of the schedule cosine_with_restarts; 0 is 3")
	fs.Float64Var(&job.Power, "power", job.Power, "`power` of the schedule polynomial's fall; 0 is 1, a line")
	fs.Float64Var(&job.ClipNorm, "clip", job.ClipNorm, "largest gradient `norm`; 0 is 1, -1 is off")
}

// lossFlags are about what a step makes small.
func lossFlags(fs *flag.FlagSet, job *engine.Job) {
	fs.StringVar(&job.Loss.Kind, "loss", job.Loss.Kind, "`loss`: mse, huber, smooth_l1; empty is mse. The latter two count large errors less")
	fs.Float64Var(&job.Loss.HuberC, "huber-c", job.Loss.HuberC, "`error` at which huber and smooth_l1 turn linear, up to 1; 0 is 0.1")
	fs.StringVar(&job.Loss.HuberSchedule, "huber-schedule", job.Loss.HuberSchedule, "how huber-c depends on the noise: constant, exponential, snr; empty is `snr`")
	fs.Float64Var(&job.MinSNR, "min-snr", job.MinSNR, "`gamma` of min-SNR loss weighting; 0 takes the method's own, -1 is off")
	fs.BoolVar(&job.Loss.Debiased, "debiased", job.Loss.Debiased, "debiased loss weighting, 1/sqrt(SNR); it triples the mean weight, so take a lower rate")
	fs.BoolVar(&job.Loss.Masked, "masked", job.Loss.Masked, "learn only where pictures are opaque, or where NAME-mask.png beside NAME.png is white")
}

// noiseFlags are about what is added to pictures, and how much of it.
func noiseFlags(fs *flag.FlagSet, n *engine.Noise) {
	fs.Float64Var(&n.Offset, "noise-offset", n.Offset, "`strength` of offset noise, for very dark or bright pictures; 0 is off, 0.05 usual")
	fs.Float64Var(&n.Pyramid, "noise-pyramid", n.Pyramid, "`weight` of each coarser level of pyramid noise; 0 is off, 0.3 usual")
	fs.Float64Var(&n.Perturb, "noise-perturb", n.Perturb, "`strength` of input perturbation; 0 is off, 0.1 usual")
	fs.StringVar(&n.Timesteps, "timesteps", n.Timesteps, "`distribution` of timesteps: uniform or logit_normal, which prefers the middle; empty is uniform")
	fs.Float64Var(&n.Bias, "timestep-bias", n.Bias, "`shift` of logit_normal: below 0 for details, above 0 for composition")
	fs.IntVar(&n.From, "timestep-from", n.From, "first `timestep` that is trained; 0 has the least noise")
	fs.IntVar(&n.To, "timestep-to", n.To, "`timestep` before which training ends; 0 is the model's last, usually 1000")
}

// pictureFlags are about captions and pictures.
func pictureFlags(fs *flag.FlagSet, job *engine.Job) {
	c, v := &job.Captions, &job.Views
	fs.Float64Var(&c.Dropout, "caption-dropout", c.Dropout, "`probability` of an empty prompt; 0 is off, 0.05 usual")
	fs.BoolVar(&c.Shuffle, "caption-shuffle", c.Shuffle, "reorder what stands between a caption's commas in every step; slower, since each prompt is encoded then")
	fs.IntVar(&c.Keep, "caption-keep", c.Keep, "`parts` of a shuffled caption that stay at the front")
	fs.Var(&textList{&c.Templates, false}, "caption-template", "`text` around captions, of which each step takes one; may be repeated; {caption}, {word} and {class} are filled in")
	fs.BoolVar(&v.Flip, "flip", v.Flip, "show pictures mirrored half of the time; not for faces, text or anything with a left and a right")
	fs.IntVar(&v.Crops, "crops", v.Crops, "random `cuts` of each picture that does not fit its shape; 0 is 1, the middle")
	fs.IntVar(&v.HoldOut, "hold-out", v.HoldOut, "`pictures`, the last by name, that are not trained on: their loss is measured at each row of the grid")
}

const modelHelp = "`model`: builtin, a Stable Diffusion 1.x or 2.x checkpoint (.safetensors, .ckpt), or a folder in diffusers form"

// modelFlags defines the flags that say what a model's files do not.
func modelFlags(fs *flag.FlagSet, vae, prediction *string) {
	fs.StringVar(vae, "vae", *vae, "`file` with a VAE to use in place of the model's own")
	fs.StringVar(prediction, "prediction", *prediction, "what the model `predicts`: epsilon or v; empty asks the model's files; a single file of SD 2.x may not know")
}
