package local

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"time"

	"easel/engine"
	"easel/engine/compare"
	"easel/engine/method"
	"easel/engine/sample"
	"easel/engine/store"
)

// Compare implements engine.Engine. Each method is a run of its own, in a folder of its own.
func (l *local) Compare(ctx context.Context, req engine.CompareRequest, sink engine.Sink) (engine.Comparison, error) {
	c, err := l.comparison(req)
	if err != nil {
		return c, err
	}
	for _, name := range c.Request.Methods[len(c.Rows):] {
		m, err := method.ByName(name)
		if err != nil {
			return c, err
		}
		c.Turn = name
		if c, err = record(c, sink); err != nil {
			return c, err
		}
		row, err := l.compared(ctx, m.Info(), &c, sink)
		if engine.KindOf(err) == engine.Cancelled {
			return c, err
		}
		if err != nil {
			row.Problem = reason(err)
		}
		c.Rows = append(slices.Clip(c.Rows), row) // those before belong to events
		c.Best = compare.Best(c.Rows)
	}
	if c.Before == nil {
		return c, engine.Errorf("compare", "", engine.BadInput, "no method could be trained; of the first: %s", c.Rows[0].Problem)
	}
	c.Turn = ""
	return record(c, sink)
}

// OpenComparison implements engine.Engine.
func (l *local) OpenComparison(_ context.Context, dir string) (engine.Comparison, error) {
	c, err := compare.Read(dir)
	if err != nil || len(c.Before) > 0 {
		return c, err
	}
	if run, ok := begun(c, filepath.Join(dir, c.Turn)); ok && len(run.Rows) > 0 && run.Rows[0].Step == 0 {
		c.Before, c.Columns = run.Rows[0].Pictures, run.Columns
	}
	return c, nil
}

// begun is a comparison's interrupted run in dir. One that is older belongs to another comparison.
func begun(c engine.Comparison, dir string) (engine.Run, bool) {
	run, err := store.Open(dir)
	return run, err == nil && !run.Done && run.Step > 0 && !store.Began(run.Dir).Before(c.Began)
}

// record writes a comparison, as far as it is, and tells of it.
func record(c engine.Comparison, sink engine.Sink) (engine.Comparison, error) {
	c, err := compare.Write(c)
	if err == nil {
		sink(engine.Event{Kind: engine.KindCompare, Compare: &engine.CompareEvent{Comparison: c}})
	}
	return c, err
}

// comparison begins one, or takes up the one that was interrupted.
func (l *local) comparison(req engine.CompareRequest) (engine.Comparison, error) {
	if req.Job.Resume {
		c, err := compare.Read(req.Job.Out)
		if req.Job.Images != "" {
			c.Request.Job.Images = req.Job.Images
		}
		return c, err
	}
	names, err := chosenMethods(req.Methods)
	if err != nil {
		return engine.Comparison{}, err
	}
	req.Methods, req.Job.Control = names, nil
	return engine.Comparison{Request: req, Began: time.Now().UTC().Truncate(time.Second), Device: l.device.Name + ", " + l.device.Backend, ObeyedBefore: -1}, nil
}

// chosenMethods are the given names, those of all methods where there is none.
func chosenMethods(names []string) ([]string, error) {
	for _, name := range names {
		if _, err := method.ByName(name); err != nil {
			return nil, err
		}
	}
	if len(names) > 0 {
		return names, nil
	}
	for _, m := range method.All() {
		names = append(names, m.Info().Name)
	}
	return names, nil
}

// compared trains one method and measures what it made.
func (l *local) compared(ctx context.Context, info engine.MethodInfo, c *engine.Comparison, sink engine.Sink) (engine.Compared, error) {
	row := engine.Compared{Method: info.Name, Title: info.Title, Updates: info.Updates, Obeyed: -1}
	job, err := l.comparedJob(ctx, *c, info.Name, sink)
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
	if job.Resume { // which has timed its own steps alone
		row.SecondsPerStep = run.SecondsPerStep
		row.Summary.Seconds = run.SecondsPerStep * float64(result.Summary.Steps)
	}
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

// comparedJob is the comparison's job for one method, which goes on where it was interrupted. Where all have the same
// time, real steps are timed first.
func (l *local) comparedJob(ctx context.Context, c engine.Comparison, name string, sink engine.Sink) (engine.Job, error) {
	job := c.Request.Job
	job.Method, job.Out = name, filepath.Join(job.Out, name)
	job.Steps, job.Rate, job.Settings = 0, 0, nil
	if run, ok := begun(c, job.Out); ok {
		run.Job.Resume, run.Job.Images = true, job.Images
		return run.Job, nil
	}
	if c.Request.Seconds <= 0 {
		return job, nil
	}
	preview, err := l.Plan(ctx, job, true, func(engine.Event) {})
	if err != nil {
		return job, err
	}
	job.Steps = min(max(int(math.Round(c.Request.Seconds/preview.SecondsPerStep)), engine.FewestCompared), 1_000_000)
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
