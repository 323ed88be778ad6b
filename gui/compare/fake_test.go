package compare_test

import (
	"context"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"easel/engine"
	"easel/gui/guitest"
)

// fakeEngine compares as its turns channel lets it: a value paints the newest pictures of the method whose turn it is, the
// next one ends its turn.
type fakeEngine struct {
	engine.Engine
	t     *testing.T
	dir   string // of pictures
	turns chan error

	mu       sync.Mutex
	planned  []engine.Job
	requests []engine.CompareRequest
	saved    map[string]engine.Comparison // by folder
	broken   error                        // of OpenComparison
}

func (e *fakeEngine) Methods() []engine.MethodInfo {
	return []engine.MethodInfo{{Name: "dreambooth", Title: "DreamBooth"}, {Name: "hyper", Title: "Hypernetwork"}, {Name: "lora", Title: "LoRA"},
		{Name: "pivotal", Title: "LoRA with a new word"}, {Name: "ti", Title: "Textual Inversion"}}
}

func (e *fakeEngine) Plan(_ context.Context, job engine.Job, measure bool, _ engine.Sink) (engine.Preview, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.planned = append(e.planned, job)
	if !measure || job.Steps != 0 || job.Settings != nil || job.Method == "dreambooth" {
		return engine.Preview{}, engine.Errorf("plan memory", "", engine.OutOfMemory, "this run needs 12 GB")
	}
	job.Steps = 400
	return engine.Preview{Job: job, SecondsPerStep: 0.25, Seconds: 100, Plan: engine.Plan{Peak: 433e6}}, nil
}

func (e *fakeEngine) OpenComparison(_ context.Context, dir string) (engine.Comparison, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, ok := e.saved[dir]
	switch {
	case e.broken != nil:
		return c, e.broken
	case !ok:
		return c, engine.Errorf("open comparison", dir, engine.NotFound, "nothing has been compared here")
	}
	return c, nil
}

func (e *fakeEngine) Compare(ctx context.Context, req engine.CompareRequest, sink engine.Sink) (engine.Comparison, error) {
	e.mu.Lock()
	e.requests = append(e.requests, req)
	c := engine.Comparison{Request: req, ObeyedBefore: 0.25}
	if req.Job.Resume {
		c = e.saved[req.Job.Out]
	}
	e.mu.Unlock()
	for i := len(c.Rows); i < len(c.Request.Methods); i++ {
		c.Turn = c.Request.Methods[i]
		e.tell(c, sink)
		row, err := e.turn(ctx, c, i, sink)
		if engine.KindOf(err) == engine.Cancelled {
			return c, err
		}
		if err != nil {
			row.Problem = err.Error()
		} else if len(c.Before) == 0 {
			c.Before, c.Columns = e.pictures(0), columns
		}
		c.Rows = append(c.Rows, row)
	}
	if c.Turn = ""; len(c.Before) == 0 {
		return c, engine.Errorf("compare", "", engine.BadInput, "no method could be trained")
	}
	c.Page = filepath.Join(req.Job.Out, "compare.html")
	c.Best = map[engine.Figure][]string{engine.FigureLikeness: {c.Request.Methods[0]}}
	e.tell(c, sink)
	return c, nil
}

var columns = []string{"a photo of a zorbit toy", "a photo of a zorbit toy on a red background", "a photo of a zorbit toy on a yellow background",
	"a photo of a zorbit toy on a brown table, green wall", "a red apple on a white background", "a cat on a green background"}

// turn plays a method's run.
func (e *fakeEngine) turn(ctx context.Context, c engine.Comparison, i int, sink engine.Sink) (engine.Compared, error) {
	row := engine.Compared{Method: c.Turn, Title: c.Turn, Obeyed: -1}
	for _, m := range e.Methods() {
		if m.Name == c.Turn {
			row.Title = m.Title
		}
	}
	sink(engine.Event{Kind: engine.KindSetup, Setup: &engine.SetupEvent{What: "model"}})
	grid := func(step, look int) {
		sink(engine.Event{Kind: engine.KindGrid, Grid: &engine.GridEvent{Row: engine.GridRow{Step: step, Pictures: e.pictures(look)}, Columns: columns}})
	}
	grid(0, 0)
	sink(engine.Event{Kind: engine.KindStep, Step: &engine.StepEvent{Step: 100, Steps: 400, SecondsLeft: 75}})
	for half := range 2 {
		select {
		case err := <-e.turns:
			if err != nil {
				return row, err
			}
		case <-ctx.Done():
			return row, engine.Errorf("train", "", engine.Cancelled, "stopped")
		}
		grid(200*(half+1), 2*i+half+1)
	}
	row.Pictures, row.Obeyed, row.SecondsPerStep = e.pictures(2*i+2), 0.5, 0.25
	row.Summary = engine.Summary{Steps: 400, Seconds: 100, Parameters: 1_065_728, FileBytes: 2_190_000, LikenessBefore: 0.08, LikenessAfter: 0.68, LikenessOwn: 0.9, Drift: 0.031, PeakMemory: 433e6}
	return row, nil
}

// tell records a comparison and tells of it.
func (e *fakeEngine) tell(c engine.Comparison, sink engine.Sink) {
	if err := os.MkdirAll(c.Request.Job.Out, 0o777); err != nil {
		e.t.Error(err)
	}
	e.mu.Lock()
	e.saved[c.Request.Job.Out] = c
	e.mu.Unlock()
	sink(engine.Event{Kind: engine.KindCompare, Compare: &engine.CompareEvent{Comparison: c}})
}

// pictures are a row's, of a look of its own.
func (e *fakeEngine) pictures(look int) (paths []string) {
	for i := range columns {
		name := fmt.Sprintf("%d-%d.png", look, i)
		if path := filepath.Join(e.dir, name); !exists(path) {
			guitest.Picture(e.t, e.dir, name, 64, color.NRGBA{uint8(20 * look), uint8(40 + 35*i), 120, 255})
		}
		paths = append(paths, filepath.Join(e.dir, name))
	}
	return paths
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (e *fakeEngine) request(i int) engine.CompareRequest {
	e.mu.Lock()
	defer e.mu.Unlock()
	if i >= len(e.requests) {
		return engine.CompareRequest{}
	}
	return e.requests[i]
}
