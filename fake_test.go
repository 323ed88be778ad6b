package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"easel/engine"
)

// fakeEngine records what it is asked for and answers with what a test put in.
type fakeEngine struct {
	engine.Engine
	made    []power // with which engines were made
	job     engine.Job
	request engine.SampleRequest
	bench   engine.BenchRequest
	merge   engine.MergeRequest
	measure bool // in a plan
	caption engine.CaptionRequest

	events   []engine.Event
	recorded engine.Run
	result   engine.Result
	rows     []engine.BenchRow
	info     engine.FileInfo
	merged   engine.MergeResult
	preview  engine.Preview
	costs    []engine.MethodCost
	captions engine.CaptionResult
	err      error
}

func (e *fakeEngine) Close() error { return nil }

func (e *fakeEngine) Device() engine.Device {
	return engine.Device{Name: "Abacus 9", Backend: "ref", Threads: 2, Memory: 8e9}
}

func (e *fakeEngine) Methods() []engine.MethodInfo {
	rank := engine.Setting{Name: "rank", Default: "8", Help: "width of the inserted layers"}
	return []engine.MethodInfo{
		{Name: "lora", Title: "LoRA", Updates: "inserted layers", Good: "much", Harm: "little", Files: []engine.FileForm{{Name: "kohya", Title: "LoRA for all"}}, Settings: []engine.Setting{rank, {Name: "targets", Default: "all", Help: "layers", Choices: []string{"all", "attention"}}}},
		{Name: "other", Title: "Other", Updates: "all", Good: "nothing", Harm: "all", Settings: []engine.Setting{rank, {Name: "depth", Default: "2", Help: "layers deep"}, {Name: "targets", Help: "parts"}}},
	}
}

func (e *fakeEngine) Train(_ context.Context, job engine.Job, sink engine.Sink) (engine.Result, error) {
	e.job = job
	e.send(sink)
	return e.result, e.err
}

func (e *fakeEngine) Plan(_ context.Context, job engine.Job, measure bool, sink engine.Sink) (engine.Preview, error) {
	e.job, e.measure = job, measure
	e.send(sink)
	return e.preview, e.err
}

func (e *fakeEngine) Costs(context.Context, string) ([]engine.MethodCost, error) {
	return e.costs, e.err
}

func (e *fakeEngine) Sample(_ context.Context, req engine.SampleRequest, sink engine.Sink) ([]engine.Picture, error) {
	e.request = req
	e.send(sink)
	return []engine.Picture{{Path: req.Out, Prompt: req.Prompt, Seed: req.Seed}}, e.err
}

func (e *fakeEngine) Merge(_ context.Context, req engine.MergeRequest) (engine.MergeResult, error) {
	e.merge = req
	return e.merged, e.err
}

func (e *fakeEngine) Caption(_ context.Context, req engine.CaptionRequest, sink engine.Sink) (engine.CaptionResult, error) {
	e.caption = req
	e.send(sink)
	return e.captions, e.err
}

func (e *fakeEngine) Inspect(context.Context, string) (engine.FileInfo, error) { return e.info, e.err }

func (e *fakeEngine) Bench(_ context.Context, req engine.BenchRequest, sink engine.Sink) ([]engine.BenchRow, error) {
	e.bench = req
	for _, row := range e.rows {
		sink(engine.Event{Kind: engine.KindBench, Bench: &row})
	}
	return e.rows, e.err
}

func (e *fakeEngine) OpenRun(context.Context, string) (engine.Run, error) { return e.recorded, e.err }

func (e *fakeEngine) send(sink engine.Sink) {
	for _, event := range e.events {
		sink(event)
	}
}

// easel runs the command line on eng and returns its exit code and what it printed.
func easel(t *testing.T, eng *fakeEngine, terminal bool, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	p := &program{
		out: &out, err: &err, terminal: terminal,
		newEngine: func(use power) (engine.Engine, error) {
			eng.made = append(eng.made, use)
			return eng, nil
		},
		openWindow: func(_ context.Context, start startEngine, paths []string) error {
			if _, err := start(-1); err != nil {
				return err
			}
			out.WriteString("window of " + strings.Join(paths, ", "))
			return nil
		},
	}
	code = p.main(context.Background(), args)
	return code, out.String(), err.String()
}

// wantText compares output with want, and shows terminal control codes readably.
func wantText(t *testing.T, got, want string) {
	t.Helper()
	readable := strings.NewReplacer("\r", "<CR>", "\x1b[K", "<CLEAR>").Replace(got)
	if readable != want {
		t.Errorf("got:\n%s\nwant:\n%s", readable, want)
	}
}
