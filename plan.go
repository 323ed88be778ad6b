package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"

	"easel/engine"
)

// plan is `easel plan`.
func (p *program) plan(ctx context.Context, args []string) error {
	methods, err := p.methods()
	if err != nil {
		return err
	}
	job := engine.Job{Method: "lora", Model: "builtin"}
	measure := false
	f, err := p.parseTrain("plan", args, methods, &job, func(fs *flag.FlagSet) {
		fs.BoolVar(&measure, "measure", false, "time a few real steps")
	})
	if err != nil {
		return err
	}
	job.Out = cmp.Or(job.Out, ".") // nothing is written
	if err := checkJob(job); err != nil {
		return err
	}
	if err := checkSettings(job, methods); err != nil {
		return err
	}
	return p.withEngine(power{f.threads, true}, func(eng engine.Engine) error {
		sink, finish := p.sink(false)
		if f.json {
			sink = func(engine.Event) {}
		}
		preview, err := eng.Plan(ctx, job, measure, sink)
		finish()
		if err != nil {
			return err
		}
		if f.json {
			return json.NewEncoder(p.out).Encode(preview)
		}
		p.showPreview(preview)
		return nil
	})
}

// showPreview prints each setting with its reason, and what the run costs.
func (p *program) showPreview(v engine.Preview) {
	fmt.Fprintln(p.out)
	for _, c := range v.Choices {
		fmt.Fprintf(p.out, "%-24s%-14s %s\n", c.Name, c.Value, c.Reason)
		if c.Source != "" {
			fmt.Fprintf(p.out, "%-39sfrom %s\n", "", c.Source)
		}
	}
	fmt.Fprintln(p.out)
	fmt.Fprintf(p.out, "%-24s%s\n", "memory", v.Plan.Why)
	fmt.Fprintf(p.out, "%-24s%s\n", "trained parameters", grouped(v.Parameters))
	fmt.Fprintf(p.out, "%-24s%s\n", "file size", byteSize(v.FileBytes))
	if v.SecondsPerStep > 0 {
		fmt.Fprintf(p.out, "%-24s%s for %d steps of %.2f s, and the grid's pictures\n", "training time", duration(v.Seconds), v.Job.Steps, v.SecondsPerStep)
	} else {
		fmt.Fprintf(p.out, "%-24snot measured: --measure times a few steps\n", "training time")
	}
}
