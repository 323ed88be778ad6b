package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"easel/engine"
)

// train is `easel train`.
func (p *program) train(ctx context.Context, args []string) error {
	methods, err := p.methods()
	if err != nil {
		return err
	}
	job := engine.Job{Method: "lora", Model: "builtin"}
	f, err := p.parseTrain("train", args, methods, &job)
	if err != nil {
		return err
	}
	if err := checkJob(job); err != nil {
		return err
	}
	return p.withEngine(power{f.threads, true}, func(eng engine.Engine) error {
		if job.Resume {
			run, err := eng.OpenRun(ctx, job.Out)
			if err != nil {
				return err
			}
			job = run.Job
			if _, err := p.parseTrain("train", args, methods, &job); err != nil { // what is given now replaces what is recorded
				return err
			}
		}
		if err := checkSettings(job, methods); err != nil {
			return err
		}
		return p.runJob(ctx, eng, job, f.json)
	})
}

// trainFlags are the flags of `easel train` that are no part of the job.
type trainFlags struct {
	threads int
	json    bool
}

// parseTrain lays args over job, whose values are the flags' defaults. more defines flags of the command's own.
func (p *program) parseTrain(command string, args []string, methods []engine.MethodInfo, job *engine.Job, more ...func(*flag.FlagSet)) (f trainFlags, err error) {
	fs := p.flags(command)
	for _, define := range more {
		define(fs)
	}
	jobFlags(fs, job)
	settingFlags(fs, methods, job)
	fs.IntVar(&f.threads, "threads", 0, "`threads` that compute; 0 is one for each physical core")
	fs.BoolVar(&f.json, "json", false, "print the engine's events, one JSON object a line")
	_, err = parse(fs, args, 0, 0)
	return f, err
}

// checkJob reports what is missing. A resumed job has all but the folder on record.
func checkJob(job engine.Job) error {
	missing := func(name string) error { return usagef("--%s is missing; `easel train -h` explains the flags", name) }
	switch {
	case job.Out == "":
		return missing("out")
	case job.Resume:
		return nil
	case job.Images == "":
		return missing("images")
	case job.Word == "":
		return missing("word")
	}
	return nil
}

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
	fs.StringVar(&job.Optimizer, "optimizer", job.Optimizer, "`optimizer`: adamw, prodigy, adafactor, lion; empty takes the method's own")
	fs.Float64Var(&job.Rate, "rate", job.Rate, "learning `rate`; 0 takes the method's own")
	fs.StringVar(&job.Schedule, "schedule", job.Schedule, "`schedule` of the learning rate: constant, cosine, ...; empty takes the method's own")
	fs.IntVar(&job.Warmup, "warmup", job.Warmup, "`steps` over which the learning rate rises from 0")
	fs.Float64Var(&job.MinSNR, "min-snr", job.MinSNR, "`gamma` of min-SNR loss weighting; 0 is off")
	fs.Float64Var(&job.Preserve, "preserve", job.Preserve, "`weight` with which other prompts are kept as they were; 0 takes the model's own, -1 is off")
	fs.Var(&textList{&job.Prompts, false}, "prompt", "`prompt` of a column of the before/after grid; may be repeated; {word} and {class} are filled in")
	fs.IntVar(&job.SampleSteps, "sample-steps", job.SampleSteps, "`steps` to render a picture of the grid; 0 takes the model's own")
	fs.Float64Var(&job.Guidance, "guidance", job.Guidance, "guidance `scale` of the grid; 0 takes the model's own")
	fs.StringVar(&job.DType, "dtype", job.DType, "`type` to compute in: auto, f32, bf16")
	fs.Var((*byteCount)(&job.Memory), "memory", "most `memory` to take, as 2GB or 800MB: slower ways are chosen as needed; by default what the machine has free")
	fs.StringVar(&job.Export, "export", job.Export, "number `type` in the exported file: f16, f32, bf16")
	fs.Var(&textList{&job.Files, false}, "file", "`form` of file to write, where the method has several (easel methods lists them); may be repeated")
	fs.BoolVar(&job.Resume, "resume", job.Resume, "go on from the newest checkpoint in --out; its settings count where no flag is given")
}

const modelHelp = "`model`: builtin, a Stable Diffusion 1.x or 2.x checkpoint (.safetensors, .ckpt), or a folder in diffusers form"

// modelFlags defines the flags that say what a model's files do not.
func modelFlags(fs *flag.FlagSet, vae, prediction *string) {
	fs.StringVar(vae, "vae", *vae, "`file` with a VAE to use in place of the model's own")
	fs.StringVar(prediction, "prediction", *prediction, "what the model `predicts`: epsilon or v; empty asks the model's files; a single file of SD 2.x may not know")
}

// runJob trains and shows it.
func (p *program) runJob(ctx context.Context, eng engine.Engine, job engine.Job, asJSON bool) error {
	sink, finish := p.sink(asJSON)
	result, err := eng.Train(ctx, job, sink)
	finish()
	if asJSON {
		return err
	}
	if engine.KindOf(err) == engine.Cancelled {
		p.showStopped(result, job)
		return err
	}
	if err != nil {
		return err
	}
	p.showResult(result, job)
	return nil
}

// showStopped says what a cancelled run left, and how to go on.
func (p *program) showStopped(result engine.Result, job engine.Job) {
	if result.Export != "" {
		fmt.Fprintf(p.out, "file        %s\n", result.Export)
	}
	if result.Checkpoint == "" {
		fmt.Fprintln(p.out, "stopped before there was anything to keep")
		return
	}
	fmt.Fprintf(p.out, "stopped after step %d\n", result.Run.Step)
	fmt.Fprintf(p.out, "checkpoint  %s\n", result.Checkpoint)
	fmt.Fprintf(p.out, "go on with  %s train --resume --out %s\n", cmp.Or(p.name, "easel"), shellQuote(job.Out))
}

// showResult names what a run left and says in numbers what it did.
func (p *program) showResult(result engine.Result, job engine.Job) {
	s := result.Summary
	rows := [][2]string{
		{"grid", result.Grid},
		{"file", result.Export},
		{"project", filepath.Clean(job.Out)},
		{},
		{"trained parameters", grouped(s.Parameters)},
		{"file size", byteSize(s.FileBytes)},
		{"weight change", fmt.Sprintf("%.2f %%", 100*s.WeightChange)},
		{"likeness", likeness(s)},
		{"drift", fmt.Sprintf("%.3f, how far the pictures without the word moved (0 is unmoved, 1 black to white)", s.Drift)},
		{"loss", fmt.Sprintf("%.4f at first, %.4f at last", s.FirstLoss, s.LastLoss)},
		{"training time", fmt.Sprintf("%s for %d steps", duration(s.Seconds), s.Steps)},
		{"peak memory", byteSize(s.PeakMemory)},
	}
	fmt.Fprintln(p.out)
	for _, row := range rows {
		fmt.Fprintln(p.out, strings.TrimRight(fmt.Sprintf("%-20s%s", row[0], row[1]), " "))
	}
}

// likeness prints the measurement, if there is one: then the training pictures have a likeness too.
func likeness(s engine.Summary) string {
	if s.LikenessOwn == 0 {
		return "not measured"
	}
	return fmt.Sprintf("%.2f before, %.2f after (your own pictures among each other: %.2f)", s.LikenessBefore, s.LikenessAfter, s.LikenessOwn)
}

// shellQuote quotes text for a POSIX shell where it has to be.
func shellQuote(text string) string {
	plain := func(c rune) bool {
		return c == '/' || c == '.' || c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	if text != "" && !slices.ContainsFunc([]rune(text), func(c rune) bool { return !plain(c) }) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
