package model

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
)

const opWrite = "write model"

// Changes are trained tensors by their network and their name in it, of diffusers.
type Changes map[Part]map[string]*kernel.Tensor

// WriteFile writes the model with changes as one file in the layout of original checkpoints, which A1111, ComfyUI and
// diffusers load, its weights as dtype. A model from such a file keeps the file's names and all that lies in it, but for
// moving averages, which are of other weights. The file appears whole or not at all.
func (m *Model) WriteFile(path string, changes Changes, dtype kernel.DType, metadata map[string]string) error {
	tensors, err := m.originals(changes, dtype)
	if err != nil {
		return err
	}
	return format.WriteStored(path, tensors, metadata)
}

// originals are the tensors of an original file.
func (m *Model) originals(changes Changes, dtype kernel.DType) (tensors []format.Stored, err error) {
	own := map[string][]format.Ref{}
	if m.file == nil {
		for _, part := range parts {
			source, err := m.source(part)
			if err != nil {
				return nil, err
			}
			for name, refs := range format.Original(string(part), source.Names(), m.SD2()) {
				own[name] = refs
			}
		}
	} else {
		for _, name := range m.file.Names() {
			refs := m.file.Refs(name)
			if !format.IsAverage(name) || len(refs) > 0 {
				own[name] = slices.DeleteFunc(slices.Clone(refs), func(r format.Ref) bool {
					read, _, _ := m.file.Find(r.Part, r.Name)
					return read != name // the second of two of one meaning
				})
			}
		}
	}
	for name, refs := range own {
		var t format.Stored
		if len(refs) == 0 {
			t, err = m.file.Stored(name)
		} else {
			t, err = m.composed(name, refs, changes, dtype)
		}
		if err != nil {
			return nil, err
		}
		tensors = append(tensors, t)
	}
	return tensors, nil
}

// Numbers is how many a file of the model holds; 0 for one that does not come from a file.
func (m *Model) Numbers() int64 { return m.numbers }

func (m *Model) count(s format.Source) {
	for _, name := range s.Names() {
		_, shape, _ := s.Info(name)
		m.numbers += int64(kernel.Len(shape))
	}
}

// parts are those that a file of a model holds.
var parts = []Part{UNet, Text, VAE}

// source is the file of a network.
func (m *Model) source(part Part) (format.Source, error) {
	w, ok := m.weights[part].(fileWeights)
	if !ok {
		return nil, engine.Errorf(opWrite, "", engine.Unsupported, "the model does not come from a file")
	}
	return w.source, nil
}

// composed is the tensor of a file in which what refs name lies below each other.
func (m *Model) composed(name string, refs []format.Ref, changes Changes, dtype kernel.DType) (format.Stored, error) {
	rows := make([]*kernel.Tensor, refs[0].Of)
	for _, ref := range refs {
		part := Part(ref.Part)
		if t := changes[part][ref.Name]; t != nil {
			rows[ref.Index] = t
			continue
		}
		source, err := m.source(part)
		if err != nil {
			return format.Stored{}, err
		}
		in := nameIn(source, ref.Name)
		if kind, _, _ := source.Info(in); len(refs) == 1 && kind != "" && !strings.Contains(kind, "F") { // such as position_ids
			t, err := format.StoredIn(source, in)
			t.Name = name
			return t, err
		}
		if rows[ref.Index], err = source.Tensor(in); err != nil {
			return format.Stored{}, err
		}
	}
	if slices.Contains(rows, nil) {
		return format.Stored{}, engine.Errorf(opWrite, "", engine.BadFile, "a part of %s is missing", name)
	}
	shape := slices.Clone(rows[0].Shape)
	if len(rows) > 1 {
		shape[0] *= len(rows)
	}
	return format.Stored{Name: name, DType: strings.ToUpper(dtype.String()), Shape: format.OriginalShape(name, shape),
		Data: func() ([]byte, error) { return joined(name, rows, dtype) }}, nil
}

// nameIn is the name that a source has for a tensor.
func nameIn(source format.Source, name string) string {
	for _, n := range alternatives(name) {
		if source.Has(n) {
			return n
		}
	}
	return name
}

// joined converts the rows of a tensor and puts them below each other.
func joined(name string, rows []*kernel.Tensor, dtype kernel.DType) (data []byte, err error) {
	for _, t := range rows {
		c := t.Convert(dtype)
		t.LetGo()
		if slices.ContainsFunc(c.Floats(), func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }) {
			return nil, engine.Errorf(opWrite, "", engine.NaN, "%s holds values that are not finite in %v; export as f32", name, dtype)
		}
		data = append(data, c.Data[:c.Len()*c.DType.Size()]...)
	}
	return data, nil
}

// IsFolder says that the model comes from a folder in diffusers' form.
func (m *Model) IsFolder() bool { return m.folder != nil }

// WriteFolder writes the model with changes as a folder in diffusers' form, its weights as dtype. Only a model from such a
// folder has the config files for it: another is an error of kind Unsupported. The folder appears whole or not at all.
func (m *Model) WriteFolder(ctx context.Context, path string, changes Changes, dtype kernel.DType) error {
	if m.folder == nil {
		return engine.Errorf(opWrite, path, engine.Unsupported, "a model from a single file has no config files, which a diffusers folder needs")
	}
	return m.folder.WriteAs(ctx, path, func(dir string) error {
		for _, part := range parts {
			source, err := m.source(part)
			if err != nil {
				return err
			}
			var tensors []format.Stored
			for _, name := range source.Names() {
				ref := format.Ref{Part: string(part), Name: format.Canonical(string(part), name), Of: 1}
				t, err := m.composed(name, []format.Ref{ref}, changes, dtype)
				if err != nil {
					return err
				}
				tensors = append(tensors, t)
			}
			file := filepath.Join(dir, string(part), format.WeightNames[string(part)])
			if err := format.WriteStored(file, tensors, map[string]string{"format": "pt"}); err != nil {
				return err
			}
		}
		return nil
	})
}
