package local

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"easel/engine"
	"easel/engine/builtin"
	"easel/engine/diffusion"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model"
	"easel/engine/sample"
)

// pipeline is an opened model and what computing on it needs. Its graphs share one memory, since they take turns.
type pipeline struct {
	name     string
	model    *model.Model
	schedule *diffusion.Schedule
	backend  kernel.Backend
	options  graph.Options

	plan       engine.Plan
	storage    model.Storage // of the weights, as planned
	trainsText bool
}

// open opens the built-in model or a diffusers folder.
func (l *local) open(name, dtype string) (*pipeline, error) {
	var m *model.Model
	var err error
	if name == "builtin" {
		m, err = model.Load(builtin.Model())
	} else {
		m, err = openFolder(name)
	}
	if err != nil {
		return nil, inModel(name, err)
	}
	p, err := l.pipeline(name, m, dtype)
	if err != nil {
		m.Close()
	}
	return p, err
}

// inModel names the model's folder in an error about one of its files.
func inModel(name string, err error) error {
	var e *engine.Error
	if errors.As(err, &e) && !filepath.IsAbs(e.Path) && !strings.HasPrefix(e.Path, name) {
		e.Path = filepath.Join(name, e.Path)
	}
	return err
}

func openFolder(path string) (*model.Model, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, engine.Errorf("open model", path, engine.NotFound, "there is no such folder; give one in diffusers form, or builtin")
	case !info.IsDir():
		return nil, engine.Errorf("open model", path, engine.Unsupported, "single-file checkpoints cannot be opened yet; give a folder in diffusers form, or builtin")
	}
	return model.Load(os.DirFS(path))
}

func (l *local) pipeline(name string, m *model.Model, dtype string) (*pipeline, error) {
	schedule, err := diffusion.ParseSchedule(m.Scheduler)
	if err != nil {
		return nil, err
	}
	dt, err := l.activations(dtype, m)
	if err != nil {
		return nil, err
	}
	return &pipeline{name: name, model: m, schedule: schedule, backend: l.backend,
		options: graph.Options{DType: dt, Memory: &graph.Memory{}}}, nil
}

// activations decides how activations are stored and products computed. Models below 256 px gain nothing from
// bfloat16: they are bound by the number of operators.
func (l *local) activations(dtype string, m *model.Model) (kernel.DType, error) {
	switch dtype {
	case "f32":
		return kernel.F32, nil
	case "bf16":
		return kernel.BF16, nil
	case "auto", "":
		if l.device.BF16 && m.Resolution() >= 256 {
			return kernel.BF16, nil
		}
		return kernel.F32, nil
	}
	return 0, engine.Errorf("choose precision", "", engine.BadInput, "dtype cannot be %q; choose auto, f32 or bf16", dtype)
}

func (p *pipeline) renderer(adapter model.Adapter) *sample.Renderer {
	return &sample.Renderer{Model: p.model, Adapter: adapter, Schedule: p.schedule, Backend: p.backend, Options: p.options, Together: p.plan.Together}
}

// small says that the model is one for trying things out, such as the built-in one.
func (p *pipeline) small() bool { return p.model.Resolution() < 256 }

func (p *pipeline) close() {
	p.options.Memory.Close()
	p.model.Close()
}
