package local

import (
	"easel/engine"
	"easel/engine/builtin"
	"easel/engine/diffusion"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model"
	"easel/engine/preset"
	"easel/engine/sample"
)

// pipeline is an opened model and what computing on it needs. Its graphs share one memory, since they take turns.
type pipeline struct {
	name     string
	model    *model.Model
	schedule *diffusion.Schedule
	backend  kernel.Backend
	options  graph.Options
	presets  preset.Set
	exact    kernel.DType // in which the UNet's weights can be stored without a loss for the type that computes

	plan       engine.Plan
	storage    model.Storage // of the weights, as planned
	trainsText bool
}

// builtinName is the model that the program itself holds.
const builtinName = "builtin"

// open opens the built-in model, a checkpoint or a diffusers folder.
func (l *local) open(name, dtype string, o model.Options) (*pipeline, error) {
	m, err := openModel(name, o)
	if err != nil {
		return nil, err
	}
	p, err := l.pipeline(name, m, dtype)
	if err != nil {
		m.Close()
	}
	return p, err
}

func openModel(name string, o model.Options) (*model.Model, error) {
	if name != builtinName {
		return model.Open(name, o)
	}
	m, err := model.Load(builtin.Model())
	if err != nil {
		return nil, err
	}
	if err := m.Use(o); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

func (l *local) pipeline(name string, m *model.Model, dtype string) (*pipeline, error) {
	schedule, err := diffusion.ParseSchedule(m.Scheduler)
	if err != nil {
		return nil, err
	}
	switch m.Prediction {
	case "epsilon":
		schedule.Prediction = diffusion.Epsilon
	case "v":
		schedule.Prediction = diffusion.Velocity
	}
	dt, err := l.activations(dtype, m)
	if err != nil {
		return nil, err
	}
	exact, err := exactType(m, dt)
	if err != nil {
		return nil, err
	}
	return &pipeline{name: name, exact: exact, model: m, schedule: schedule, backend: l.backend, presets: l.presets,
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

// exactType is the narrowest type in which the UNet's weights can be stored and give the same products in dt: where dt is
// float32, that of the file, which is a half for most checkpoints.
func exactType(m *model.Model, dt kernel.DType) (kernel.DType, error) {
	if dt != kernel.F32 {
		return dt, nil
	}
	return m.FileType(model.UNet)
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
