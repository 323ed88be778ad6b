package local

import (
	"context"
	"errors"
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
	written int // tensors
	all     int // tensors to write
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
	switch {
	case m.req.Replace && m.reads(m.req.Out):
		return bad("this file is read for the merge; choose another name")
	case exists(m.req.Out) && !m.replaces(m.req.Out):
		return m.taken()
	case len(m.req.LoRAs) == 0:
		return bad("there is no LoRA to merge")
	case m.req.DType != "" && !isStorage(m.req.DType):
		return bad("dtype cannot be %q; choose f32, f16 or bf16, or leave it out to keep the model's", m.req.DType)
	}
	return nil
}

func (m *merger) open(l engine.TunedFile) error {
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
// training uses, nothing is changed, and of two tensors of one meaning the one that is read.
func (m *merger) mergeFile(family string) error {
	if !strings.EqualFold(filepath.Ext(m.req.Out), ".safetensors") {
		return engine.Errorf(opMerge, m.req.Out, engine.BadInput, "the model is one file, and so is the result: give a name that ends in .safetensors")
	}
	f, err := format.Open(m.req.Model)
	if err != nil {
		return err
	}
	defer f.Close()
	c := format.NewCheckpoint(f)
	var ts []mergeTensor
	for _, name := range f.Names() {
		stored, err := f.Stored(name)
		if err != nil {
			return err
		}
		t := mergeTensor{Stored: stored, load: func() (*kernel.Tensor, error) { return f.Tensor(name) }}
		t.refs = slices.DeleteFunc(c.Refs(name), func(ref format.Ref) bool {
			own, _, _ := c.Find(ref.Part, ref.Name)
			return own != name
		})
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
	err = m.publish(func(temp string) error { return format.WriteStored(temp, m.merged(ts), metadata) })
	if err != nil {
		return err
	}
	m.result.Size, err = sizeOf(m.req.Out)
	return err
}

// inMerge gives an error of the operating system a path and a kind.
func inMerge(path string, err error) error {
	if e := new(engine.Error); errors.As(err, &e) {
		return err
	}
	return engine.Errorf(opMerge, path, engine.BadFile, "%w", err)
}
