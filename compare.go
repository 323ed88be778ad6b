package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"easel/engine"
)

// compare is `easel compare`.
func (p *program) compare(ctx context.Context, args []string) error {
	req := engine.CompareRequest{Job: engine.Job{Model: "builtin"}}
	job := &req.Job
	var threads int
	var asJSON bool
	var budget time.Duration
	fs := p.flags("compare")
	fs.StringVar(&job.Model, "model", job.Model, modelHelp)
	modelFlags(fs, &job.VAE, &job.Prediction)
	fs.StringVar(&job.Images, "images", "", "`folder` with pictures of the subject, captions beside them in .txt files")
	fs.StringVar(&job.Word, "word", "", "new `word` that will call the subject")
	fs.StringVar(&job.Class, "class", "", "`what` the subject is, as \"dog\" or \"monster toy\"")
	fs.StringVar(&job.Goal, "goal", "", "`what` is taught: object, person, animal, style, or trying")
	fs.StringVar(&job.Out, "out", "", "`folder` for the page and a project of each method")
	fs.Var(&textList{&req.Methods, false}, "method", "`method` to compare; may be repeated; all where left out")
	fs.DurationVar(&budget, "time", 0, "`time` that each method trains, as 3m; 0 gives each the steps of its presets")
	fs.Uint64Var(&job.Seed, "seed", 0, "`number` that fixes everything random")
	fs.Var(&textList{&job.Prompts, false}, "prompt", "`prompt` of a column; may be repeated; {word} and {class} are filled in")
	fs.BoolVar(&job.Resume, "resume", false, "go on with the comparison that was interrupted in --out, as it was asked for")
	fs.IntVar(&threads, "threads", 0, "`threads` that compute; 0 is one for each physical core")
	fs.BoolVar(&asJSON, "json", false, "print the engine's events, one JSON object a line, and the comparison as the last")
	if _, err := parse(fs, args, 0, 0); err != nil {
		return err
	}
	if err := checkJob(*job); err != nil {
		return err
	}
	if budget < 0 {
		return usagef("--time cannot be negative")
	}
	req.Seconds = budget.Seconds()
	return p.withEngine(power{threads, true}, func(eng engine.Engine) error {
		sink, finish := p.sink(asJSON)
		c, err := eng.Compare(ctx, req, sink)
		finish()
		if err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(p.out).Encode(c)
		}
		p.showComparison(c)
		return nil
	})
}

// showComparison prints the figures as a table; the pictures are on the page.
func (p *program) showComparison(c engine.Comparison) {
	fmt.Fprintf(p.out, "\n%-20s%10s%12s%8s%16s%10s%10s%12s\n", "", "likeness", "background", "drift", "trained", "file", "s/step", "memory")
	for _, r := range c.Rows {
		if r.Problem != "" {
			fmt.Fprintf(p.out, "%-20s%s\n", r.Title, r.Problem)
			continue
		}
		background, memory := "-", "-"
		if r.Obeyed >= 0 {
			background = fmt.Sprintf("%.2f", r.Obeyed)
		}
		if r.Summary.PeakMemory > 0 { // it is 0 where all steps were made before an interruption
			memory = byteSize(r.Summary.PeakMemory)
		}
		fmt.Fprintln(p.out, strings.TrimRight(fmt.Sprintf("%-20s%10.2f%12s%8.3f%16s%10s%10.3f%12s", r.Title, r.Summary.LikenessAfter, background,
			r.Summary.Drift, grouped(r.Summary.Parameters), byteSize(r.Summary.FileBytes), r.SecondsPerStep, memory), " "))
	}
	fmt.Fprintf(p.out, "\npage  %s\n", c.Page)
}
