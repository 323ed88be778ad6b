package gui

import (
	"context"
	"image"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"easel/engine"
	"easel/engine/dataset"
)

// fakeEngine keeps projects in memory; their pictures it leaves to the engine's own code, which needs no model.
type fakeEngine struct {
	engine.Engine
	mu   sync.Mutex
	jobs map[string]engine.Job
	runs map[string]engine.Run
	wait map[string]chan struct{} // holds a project back until closed

	comparison engine.Comparison // that Compare plays; its folder is that of Request
	turns      chan struct{}     // one for each method of it whose turn may end
}

func newFakeEngine() *fakeEngine {
	return &fakeEngine{jobs: map[string]engine.Job{}, runs: map[string]engine.Run{}, wait: map[string]chan struct{}{}, turns: make(chan struct{}, 10)}
}

func (e *fakeEngine) Device() engine.Device {
	return engine.Device{Name: "Abacus 9 with 4 beads", Backend: "onednn (avx2)", Threads: 4, Memory: 17e9}
}

func (e *fakeEngine) Methods() []engine.MethodInfo {
	return []engine.MethodInfo{{Name: "lora", Title: "LoRA"}, {Name: "dreambooth", Title: "DreamBooth"},
		{Name: "textual-inversion", Title: "Textual Inversion"}, {Name: "hypernetwork", Title: "Hypernetwork"}, {Name: "pivotal", Title: "LoRA with a new word"}}
}

func (e *fakeEngine) Costs(context.Context, string) ([]engine.MethodCost, error) { return nil, nil }

func (e *fakeEngine) Plan(_ context.Context, job engine.Job, _ bool, _ engine.Sink) (engine.Preview, error) {
	job.Steps = 400
	return engine.Preview{Job: job, SecondsPerStep: 0.3, Seconds: 120, Plan: engine.Plan{Peak: 610e6}}, nil
}

func (e *fakeEngine) OpenRun(ctx context.Context, dir string) (engine.Run, error) {
	if gate, ok := e.wait[dir]; ok {
		<-gate
	}
	run, ok := e.runs[dir]
	if !ok {
		return run, engine.Errorf("open project", dir, engine.NotFound, "nothing has been trained")
	}
	return run, ctx.Err()
}

func (e *fakeEngine) Models(_ context.Context, _ []string, found func(engine.FileInfo)) error {
	found(engine.FileInfo{Path: "/home/you/ComfyUI/models/checkpoints/v1-5-pruned-emaonly.safetensors", Kind: "checkpoint", Base: "SD1", Size: 4_265_146_304})
	return nil
}

func (e *fakeEngine) Compare(ctx context.Context, req engine.CompareRequest, sink engine.Sink) (engine.Comparison, error) {
	c := e.comparison
	c.Request.Methods, c.Page, c.Best = req.Methods, "", nil
	for i, method := range req.Methods {
		c.Turn, c.Rows = method, e.comparison.Rows[:i]
		sink(engine.Event{Kind: engine.KindCompare, Compare: &engine.CompareEvent{Comparison: c}})
		sink(engine.Event{Kind: engine.KindStep, Step: &engine.StepEvent{Step: 200, Steps: 400, SecondsLeft: 60}})
		sink(engine.Event{Kind: engine.KindGrid, Grid: &engine.GridEvent{Row: engine.GridRow{Step: 200, Pictures: e.comparison.Rows[i].Pictures}, Columns: c.Columns}})
		select {
		case <-e.turns:
		case <-ctx.Done():
			return c, engine.Errorf("train", "", engine.Cancelled, "stopped")
		}
	}
	return e.comparison, nil
}

func (e *fakeEngine) OpenComparison(_ context.Context, dir string) (engine.Comparison, error) {
	if dir != e.comparison.Request.Job.Out {
		return engine.Comparison{}, engine.Errorf("open comparison", dir, engine.NotFound, "nothing has been compared here")
	}
	return e.comparison, nil
}

// Inspect goes by the name, and finds a folder's model as the engine does.
func (e *fakeEngine) Inspect(_ context.Context, path string) (engine.FileInfo, error) {
	info := engine.FileInfo{Path: path, Kind: "unknown"}
	if weights := filepath.Join(path, "model.safetensors"); isFile(weights) {
		info.Path = weights
	}
	switch {
	case !isFile(info.Path) || filepath.Ext(info.Path) != ".safetensors" && filepath.Ext(info.Path) != ".pth":
	case filepath.Base(path) == "lora.safetensors":
		info.Kind = "LoRA"
	case filepath.Base(path) == "vae.safetensors":
		info.Kind = "VAE"
	case strings.Contains(path, "tagger"):
		info.Kind = "WD tagger"
	case strings.Contains(path, "blip"):
		info.Kind = "BLIP captioner"
	default:
		info.Kind = "checkpoint"
	}
	return info, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func (e *fakeEngine) CheckCaption(caption, word, class string) engine.CaptionCheck {
	return dataset.CheckCaption(caption, word, class, func(s string) int { return len(strings.Fields(s)) })
}

func (e *fakeEngine) Folder(dir string) engine.Folder { return fakeFolder{e, dir} }

type fakeFolder struct {
	e   *fakeEngine
	dir string
}

func (f fakeFolder) images() string { return filepath.Join(f.dir, "images") }

func (f fakeFolder) Job() (engine.Job, error) {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	job, ok := f.e.jobs[f.dir]
	if !ok {
		return job, engine.Errorf("open project", f.dir, engine.NotFound, "no Easel project is here")
	}
	return job, nil
}

func (f fakeFolder) SaveJob(job engine.Job) error {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	f.e.jobs[f.dir] = job
	return nil
}

func (f fakeFolder) Import(ctx context.Context, paths []string, found func(engine.Imported)) error {
	model := func(path string) (engine.FileInfo, bool) {
		info, err := f.e.Inspect(ctx, path)
		return info, err == nil && info.Kind != "unknown"
	}
	return dataset.Import(ctx, f.images(), paths, model, found)
}

func (f fakeFolder) Survey(ctx context.Context, _ engine.SurveyRequest, found func(engine.PictureInfo)) error {
	buckets := []image.Point{{X: 512, Y: 512}, {X: 448, Y: 576}, {X: 576, Y: 448}}
	return dataset.Survey(ctx, f.images(), dataset.SurveyOptions{Buckets: buckets, Cache: filepath.Join(f.dir, "thumbnails")}, found)
}

func (f fakeFolder) SaveCaption(name, caption string) error {
	return dataset.SaveCaption(f.images(), name, caption)
}

func (f fakeFolder) SaveCrop(name string, crop engine.Crop) error {
	return dataset.SaveCrop(f.images(), name, crop)
}

func (f fakeFolder) removed() string { return filepath.Join(f.dir, "removed") }

func (f fakeFolder) Remove(names []string) error {
	return dataset.Remove(f.images(), f.removed(), names)
}

func (f fakeFolder) Restore(names []string) error {
	return dataset.Restore(f.images(), f.removed(), names)
}
