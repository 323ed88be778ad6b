package local

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/builtin"
	"easel/engine/format"
	"easel/engine/kernel"
)

const opMerge = "merge"

// Merge implements engine.Engine.
func (l *local) Merge(ctx context.Context, req engine.MergeRequest) (result engine.MergeResult, err error) {
	err = l.do(ctx, func() error {
		m := &merger{ctx: ctx, backend: l.backend, req: req, result: engine.MergeResult{Path: req.Out}}
		defer m.close()
		err := m.merge()
		result = m.result
		return err
	})
	return result, err
}

// merger is one call of Merge.
type merger struct {
	ctx     context.Context
	backend kernel.Backend
	req     engine.MergeRequest
	loras   []addition
	result  engine.MergeResult
}

// addition is a LoRA file and the weight with which it is added.
type addition struct {
	file    *format.File
	modules []format.LoRAModule
	weight  float32
	change  map[string]format.LoRAModule // by name
}

func (m *merger) merge() error {
	if err := m.check(); err != nil {
		return err
	}
	for _, f := range m.req.LoRAs {
		if err := m.open(f); err != nil {
			return err
		}
	}
	if m.req.Model == builtinName {
		return m.mergeFolder(builtin.Model(), "SD1")
	}
	info, err := format.Inspect(m.req.Model)
	if err != nil {
		return err
	}
	switch info.Kind {
	case format.KindFolder:
		return m.mergeFolder(os.DirFS(m.req.Model), info.Base)
	case format.KindCheckpoint:
		return m.mergeFile(info.Base)
	}
	return engine.Errorf(opMerge, m.req.Model, engine.Unsupported, "this is no model that a LoRA can be merged into (%s); give a folder in diffusers form or a checkpoint in one file", info.Kind)
}

// check refuses what cannot be asked for.
func (m *merger) check() error {
	bad := func(format string, args ...any) error {
		return engine.Errorf(opMerge, m.req.Out, engine.BadInput, format, args...)
	}
	if _, err := os.Lstat(m.req.Out); err == nil {
		return bad("there is something of that name; choose another, for nothing is replaced")
	}
	switch {
	case len(m.req.LoRAs) == 0:
		return bad("there is no LoRA to merge")
	case m.req.DType != "" && !slices.Contains([]string{"f32", "f16", "bf16"}, m.req.DType):
		return bad("dtype cannot be %q; choose f32, f16 or bf16, or leave it out to keep the model's", m.req.DType)
	}
	return nil
}

// mergeTypes are the types that a model can be stored in, by safetensors' names.
var mergeTypes = map[string]kernel.DType{"F32": kernel.F32, "F16": kernel.F16, "BF16": kernel.BF16}

func (m *merger) open(l engine.LoRAFile) error {
	f, err := format.OpenLoRA(l.Path)
	if err != nil {
		return err
	}
	modules, err := format.ReadLoRA(f)
	if err != nil {
		f.Close()
		return err
	}
	a := addition{file: f, modules: modules, weight: float32(l.Weight), change: map[string]format.LoRAModule{}}
	for _, module := range modules {
		a.change[module.Name] = module
	}
	m.loras = append(m.loras, a)
	return nil
}

func (m *merger) close() {
	for _, l := range m.loras {
		l.file.Close()
	}
}

// mergeFile merges into a checkpoint in one file. Of the moving averages that it may hold beside its UNet, which only
// training uses, nothing is changed.
func (m *merger) mergeFile(family string) error {
	if !strings.EqualFold(filepath.Ext(m.req.Out), ".safetensors") {
		return engine.Errorf(opMerge, m.req.Out, engine.BadInput, "the model is one file, and so is the result: give a name that ends in .safetensors")
	}
	f, err := format.Open(m.req.Model)
	if err != nil {
		return err
	}
	defer f.Close()
	var ts []mergeTensor
	for _, name := range f.Names() {
		stored, err := f.Stored(name)
		if err != nil {
			return err
		}
		t := mergeTensor{Stored: stored, load: func() (*kernel.Tensor, error) { return f.Tensor(name) }}
		if !strings.HasPrefix(name, "model_ema.") {
			t.refs = format.Refs(name)
		}
		ts = append(ts, t)
	}
	if err := m.fit(ts, family); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(m.req.Out), 0o755); err != nil {
		return inMerge(m.req.Out, err)
	}
	metadata := map[string]string{}
	for key, value := range f.Metadata() {
		if !strings.Contains(key, "hash") { // of the unchanged tensors
			metadata[key] = value
		}
	}
	if err := format.WriteStored(m.req.Out, m.merged(ts), metadata); err != nil {
		return err
	}
	return m.weigh(m.req.Out)
}

// mergeTensor is a tensor of the model and what it is to diffusers, whose names LoRAs follow.
type mergeTensor struct {
	format.Stored
	load func() (*kernel.Tensor, error)
	refs []format.Ref
	to   []string // names of the modules that change the refs, set by fit; empty for none
}

// fit finds the modules of each tensor, and checks that all modules of all files have one.
func (m *merger) fit(ts []mergeTensor, family string) error {
	sdxl := slices.ContainsFunc(ts, func(t mergeTensor) bool {
		return slices.ContainsFunc(t.refs, func(r format.Ref) bool { return r.Part == "text_encoder_2" })
	})
	weights := map[string][]int{}
	for i := range ts {
		for _, ref := range ts[i].refs {
			name := format.LoRATarget(ref.Part, ref.Name, sdxl)
			ts[i].to = append(ts[i].to, name)
			if shape := slices.Clone(ts[i].Shape); name != "" && len(shape) >= 2 && shape[0]%ref.Of == 0 {
				shape[0] /= ref.Of
				weights[name] = shape
			}
		}
	}
	for _, l := range m.loras {
		if err := format.FitLoRA(l.file, l.modules, weights, family); err != nil {
			return err
		}
	}
	return nil
}

// merged are the tensors as they are to be written, each made when its turn comes.
func (m *merger) merged(ts []mergeTensor) []format.Stored {
	all := make([]format.Stored, len(ts))
	for i, t := range ts {
		all[i] = m.tensor(t)
	}
	m.result.Tensors += len(ts)
	return all
}

// tensor is t as it is where no LoRA changes it and it keeps its type.
func (m *merger) tensor(t mergeTensor) format.Stored {
	changed := slices.ContainsFunc(t.to, func(name string) bool {
		return slices.ContainsFunc(m.loras, func(l addition) bool { _, ok := l.change[name]; return ok })
	})
	out, original := t.Stored, t.Data
	if changed {
		m.result.Changed++
		out.DType = storable(out.DType)
	}
	if floats[out.DType] && m.req.DType != "" {
		out.DType = strings.ToUpper(m.req.DType)
	}
	out.Data = func() ([]byte, error) {
		if err := m.ctx.Err(); err != nil {
			return nil, engine.Errorf(opMerge, m.req.Out, engine.Cancelled, "%w", err)
		}
		if !changed && out.DType == t.DType {
			return original()
		}
		return m.compute(t, out.DType)
	}
	return out
}

// floats are the types that --dtype changes.
var floats = map[string]bool{"F64": true, "F32": true, "F16": true, "BF16": true, "F8_E4M3": true, "F8_E5M2": true}

// storable is the type in which a changed tensor is stored: its own, or for those that no kernel.Tensor has the one
// that it is read as.
func storable(dtype string) string {
	switch dtype {
	case "F64":
		return "F32"
	case "F8_E4M3", "F8_E5M2":
		return "F16"
	}
	return dtype
}

// compute adds the LoRAs to a tensor in float32.
func (m *merger) compute(t mergeTensor, dtype string) ([]byte, error) {
	loaded, err := t.load()
	if err != nil {
		return nil, err
	}
	sum := loaded.Convert(kernel.F32)
	for i, ref := range t.refs {
		for _, l := range m.loras {
			if module, ok := l.change[t.to[i]]; ok {
				if err := m.add(ref.Rows(sum), module, l.weight); err != nil {
					return nil, err
				}
			}
		}
	}
	if dt := mergeTypes[dtype]; dt != kernel.F32 {
		sum = sum.Convert(dt)
	}
	if !allFinite(sum) {
		return nil, engine.Errorf(opMerge, m.req.Out, engine.NaN, "%s holds values that are not finite in %s; try --dtype f32, or smaller weights", t.Name, dtype)
	}
	return sum.Data[:sum.Len()*sum.DType.Size()], nil
}

// add is w += weight·alpha/rank·up·down, with w [out, in] or [out, in, kh, kw].
func (m *merger) add(w *kernel.Tensor, l format.LoRAModule, weight float32) error {
	flat := func(t *kernel.Tensor) *kernel.Tensor {
		return kernel.FromF32(t.F32(), t.Shape[0], t.Len()/t.Shape[0])
	}
	rows := flat(w)
	up, down := flat(l.Up.Convert(kernel.F32)), flat(l.Down.Convert(kernel.F32))
	return m.backend.LinearGradInput(rows, up, down, rows, weight*l.Alpha/float32(l.Rank()))
}

func allFinite(t *kernel.Tensor) bool {
	return !slices.ContainsFunc(t.Floats(), func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) })
}

// weigh adds the size of a file to the result's.
func (m *merger) weigh(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return inMerge(path, err)
	}
	m.result.Size += info.Size()
	return nil
}

// inMerge gives an error of the operating system a path and a kind.
func inMerge(path string, err error) error {
	if e := new(engine.Error); errors.As(err, &e) {
		return err
	}
	return engine.Errorf(opMerge, path, engine.BadFile, "%w", err)
}
