package local

import (
	"context"
	"fmt"
	"math"
	"path/filepath"

	"easel/engine"
	"easel/engine/compare"
	"easel/engine/method"
	"easel/engine/sample"
)

// Compare implements engine.Engine. Each method is a run of its own, in a folder of its own.
func (l *local) Compare(ctx context.Context, req engine.CompareRequest, sink engine.Sink) (engine.Comparison, error) {
	methods, err := chosenMethods(req.Methods)
	if err != nil {
		return engine.Comparison{}, err
	}
	c := engine.Comparison{Device: l.device.Name + ", " + l.device.Backend, ObeyedBefore: -1}
	for i, m := range methods {
		info := m.Info()
		sink(engine.Event{Kind: engine.KindSetup, Setup: &engine.SetupEvent{What: "compare", Detail: fmt.Sprintf("%s, %d of %d", info.Title, i+1, len(methods))}})
		row, err := l.compared(ctx, req, info, &c, sink)
		if engine.KindOf(err) == engine.Cancelled {
			return c, err
		}
		if err != nil {
			row.Problem = reason(err)
		}
		c.Rows = append(c.Rows, row)
	}
	if c.Before == nil {
		return c, engine.Errorf("compare", "", engine.BadInput, "no method could be trained; of the first: %s", c.Rows[0].Problem)
	}
	return compare.Write(req.Job.Out, req.Job, c)
}

// chosenMethods are those of the given names, all where there is none.
func chosenMethods(names []string) ([]method.Method, error) {
	if len(names) == 0 {
		return method.All(), nil
	}
	var chosen []method.Method
	for _, name := range names {
		m, err := method.ByName(name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, m)
	}
	return chosen, nil
}

// compared trains one method and measures what it made.
func (l *local) compared(ctx context.Context, req engine.CompareRequest, info engine.MethodInfo, c *engine.Comparison, sink engine.Sink) (engine.Compared, error) {
	row := engine.Compared{Method: info.Name, Title: info.Title, Updates: info.Updates, Obeyed: -1}
	job, err := l.comparedJob(ctx, req, info.Name, sink)
	if err != nil {
		return row, err
	}
	result, err := l.Train(ctx, job, sink)
	if err != nil {
		return row, err
	}
	run, err := l.OpenRun(ctx, job.Out)
	if err != nil {
		return row, err
	}
	row.Export, row.Summary = result.Export, result.Summary
	row.SecondsPerStep = result.Summary.Seconds / float64(max(result.Summary.Steps, 1))
	first, last := run.Rows[0], run.Rows[len(run.Rows)-1]
	row.Pictures = last.Pictures
	if row.Obeyed, err = obeyed(run.Columns, last.Pictures, job.Word); err != nil {
		return row, err
	}
	if c.Before == nil {
		c.Before, c.Columns = first.Pictures, run.Columns
		c.ObeyedBefore, err = obeyed(run.Columns, first.Pictures, job.Word)
	}
	return row, err
}

// fewestSteps are made whatever the time: fewer say nothing about a method.
const fewestSteps = 20

// comparedJob is the request's job for one method. Where all have the same time, real steps are timed first.
func (l *local) comparedJob(ctx context.Context, req engine.CompareRequest, name string, sink engine.Sink) (engine.Job, error) {
	job := req.Job
	job.Method, job.Out = name, filepath.Join(job.Out, name)
	job.Steps, job.Rate, job.Settings = 0, 0, nil
	if req.Seconds <= 0 {
		return job, nil
	}
	preview, err := l.Plan(ctx, job, true, func(engine.Event) {})
	if err != nil {
		return job, err
	}
	job.Steps = min(max(int(math.Round(req.Seconds/preview.SecondsPerStep)), fewestSteps), 1_000_000)
	sink(engine.Event{Kind: engine.KindSetup, Setup: &engine.SetupEvent{What: "time", Detail: fmt.Sprintf("%d steps of %.2f s", job.Steps, preview.SecondsPerStep)}})
	return job, nil
}

// obeyed is the mean, over the columns with the word that ask for a ground, of how far it is there; -1 without any.
func obeyed(columns, pictures []string, word string) (float64, error) {
	var shares []float64
	for i, prompt := range columns {
		if !names(prompt, word) {
			continue
		}
		p, err := readPicture(pictures[i])
		if err != nil {
			return 0, err
		}
		if share, ok := sample.Ground(prompt, p); ok {
			shares = append(shares, share)
		}
	}
	if len(shares) == 0 {
		return -1, nil
	}
	return mean(shares), nil
}
