package local

import (
	"math"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
)

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
	m.all = len(ts)
	for i := range ts {
		for _, ref := range ts[i].refs {
			if ref.Of > 1 && (len(ts[i].Shape) == 0 || ts[i].Shape[0]%ref.Of != 0) {
				return engine.Errorf(opMerge, m.req.Model, engine.BadFile, "tensor %q of shape %v cannot be split into %d", ts[i].Name, ts[i].Shape, ref.Of)
			}
			name := format.LoRATarget(ref.Part, ref.Name, sdxl)
			ts[i].to = append(ts[i].to, name)
			if shape := slices.Clone(ts[i].Shape); name != "" && len(shape) >= 2 {
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

// progress tells that another tensor's turn has come.
func (m *merger) progress() {
	if m.written++; m.req.Progress != nil {
		m.req.Progress(m.written, m.all)
	}
}

// merged are the tensors as they are to be written, each made when its turn comes.
func (m *merger) merged(ts []mergeTensor) []format.Stored {
	all := make([]format.Stored, len(ts))
	for i, t := range ts {
		all[i] = m.tensor(t)
		data := all[i].Data
		all[i].Data = func() ([]byte, error) {
			m.progress()
			return data()
		}
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

// mergeTypes are the types that a model can be stored in, by safetensors' names.
var mergeTypes = map[string]kernel.DType{"F32": kernel.F32, "F16": kernel.F16, "BF16": kernel.BF16}

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
			module, ok := l.change[t.to[i]]
			if !ok {
				continue
			}
			if module.Magnitude == nil {
				err = m.add(ref.Rows(sum), module, l.weight)
			} else {
				err = m.resize(ref.Rows(sum), ref.Rows(loaded), module, l.weight)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	if dt := mergeTypes[dtype]; dt != kernel.F32 {
		sum = sum.Convert(dt)
	}
	if !allFinite(sum) {
		cure := "try smaller weights"
		if dtype != "F32" {
			cure = "try --dtype f32, or smaller weights"
		}
		return nil, engine.Errorf(opMerge, m.req.Out, engine.NaN, "%s holds values that are not finite in %s; %s", t.Name, dtype, cure)
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
