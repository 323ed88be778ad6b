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
