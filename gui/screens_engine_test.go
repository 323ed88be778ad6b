package gui

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"

	"easel/engine"
	"easel/engine/compare"
	"easel/engine/store"
)

// studio is a fakeEngine for pictures of the window: it tells what the real engine told, as testdata/run has it. Its README
// says how that was recorded.
type studio struct {
	*fakeEngine
	made string // the folder with what was recorded: testdata/run
}

// madePause is the step that the run in progress has come to.
const madePause = 260

// recorded reads a file of what was recorded.
func recorded[T any](s studio, name string) (v T) {
	data, err := os.ReadFile(filepath.Join(s.made, name))
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	if err != nil {
		panic(err)
	}
	return v
}

func (s studio) Device() engine.Device { return recorded[engine.Device](s, "device.json") }

// methods are what `easel methods --json` lists.
func (s studio) methods() []recordedMethod { return recorded[[]recordedMethod](s, "methods.json") }

type recordedMethod struct {
	engine.MethodInfo
	Cost engine.MethodCost
}

func (s studio) Methods() (all []engine.MethodInfo) {
	for _, m := range s.methods() {
		all = append(all, m.MethodInfo)
	}
	return all
}

func (s studio) Costs(context.Context, string) (all []engine.MethodCost, err error) {
	for _, m := range s.methods() {
		all = append(all, m.Cost)
	}
	return all, nil
}

func (s studio) Plan(_ context.Context, job engine.Job, _ bool, _ engine.Sink) (engine.Preview, error) {
	return recorded[map[string]engine.Preview](s, "plans.json")[cmp.Or(job.Method, "lora")], nil
}

// Models are examples, of a computer that has some.
func (studio) Models(_ context.Context, _ []string, found func(engine.FileInfo)) error {
	for _, m := range []engine.FileInfo{
		{Path: "/home/you/ComfyUI/models/checkpoints/v1-5-pruned-emaonly.safetensors", Kind: "checkpoint", Base: "SD 1.x", Size: 4_265_146_304},
		{Path: "/home/you/stable-diffusion-webui/models/Stable-diffusion/v2-1_768-ema-pruned.safetensors", Kind: "checkpoint", Base: "SD 2.x, v-prediction", Size: 5_214_865_159},
	} {
		found(m)
	}
	return nil
}

// finished is the run as it lies in a project, done.
func (s studio) finished(project string) engine.Run {
	run, err := store.Open(filepath.Join(s.made, "zorbit"))
	if err != nil {
		panic(err)
	}
	run.Job.Out, run.Export = project, filepath.Join(project, filepath.Base(run.Export))
	run.Exported.Path = run.Export
	return run
}

// compared is what each method made of the same pictures.
func (s studio) compared(project string) engine.Comparison {
	c, err := compare.Read(filepath.Join(s.made, "compare"))
	if err != nil {
		panic(err)
	}
	c.Request.Job.Out, c.Best = filepath.Join(project, "compare"), compare.Best(c.Rows)
	return c
}

// Train trains to madePause, and then waits for whom looks at a step, until it is cancelled: then it
// is done.
func (s studio) Train(ctx context.Context, job engine.Job, sink engine.Sink) (result engine.Result, err error) {
	run := s.finished("")
	journal, err := os.Open(filepath.Join(run.Dir, "events.jsonl"))
	if err != nil {
		return result, err
	}
	defer journal.Close()
	step := 0
	_, _, err = store.ReadJournal(journal, func(e engine.Event) {
		switch {
		case e.Result != nil:
			result = *e.Result
		case e.Grid != nil: // with pictures as they lie here
			at := slices.IndexFunc(run.Rows, func(r engine.GridRow) bool { return r.Step == e.Grid.Row.Step })
			e.Grid.Row = run.Rows[at]
		case e.Step != nil:
			step = e.Step.Step
		}
		if step <= madePause && e.Result == nil {
			sink(e)
		}
	})
	if err != nil {
		return result, err
	}
	for paused := false; ; {
		asked, pause, changed := job.Control.Take()
		if pause && !paused {
			sink(engine.Event{Kind: engine.KindPause, Pause: &engine.PauseEvent{Paused: true, Step: madePause}})
		}
		if paused = pause; asked.Look {
			sink(engine.Event{Kind: engine.KindView, View: s.view()})
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return result, nil
		}
	}
}

// view is the step that the run in progress is at, from inside.
func (s studio) view() *engine.ViewEvent {
	v := recorded[engine.ViewEvent](s, filepath.Join("view", "view.json"))
	for _, path := range []*string{&v.Clean, &v.Noised, &v.Noise, &v.Predicted, &v.Denoised, &v.Error} {
		*path = filepath.Join(s.made, "view", *path)
	}
	return &v
}

// Sample paints what was painted with the playground's first settings.
func (s studio) Sample(_ context.Context, req engine.SampleRequest, _ engine.Sink) ([]engine.Picture, error) {
	name := "base.jpg"
	if len(req.Tuned) > 0 {
		name = "tuned.jpg"
	}
	picture, err := os.ReadFile(filepath.Join(s.made, "playground", name))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(req.Out), 0o777); err != nil {
		return nil, err
	}
	return []engine.Picture{{Path: req.Out, Prompt: req.Prompt}}, os.WriteFile(req.Out, picture, 0o666)
}
