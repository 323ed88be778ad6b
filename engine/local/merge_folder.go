package local

import (
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
)

// mergeFolder merges into a model in diffusers form.
func (m *merger) mergeFolder(model fs.FS, family string) error {
	if strings.EqualFold(filepath.Ext(m.req.Out), ".safetensors") {
		return engine.Errorf(opMerge, m.req.Out, engine.BadInput, "the model is a folder, and so is the result: give a folder's name, without .safetensors")
	}
	if exists(m.req.Out) { // a file is not replaced by a folder
		return m.taken()
	}
	folder, err := format.OpenFolder(model)
	if err != nil {
		return err
	}
	defer folder.Close()
	ts, err := componentTensors(folder)
	if err != nil {
		return err
	}
	if err := m.fit(ts, family); err != nil {
		return err
	}
	err = m.publish(func(temp string) error {
		if err := folder.CopyRest(m.ctx, temp); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(format.WeightNames)) {
			if err := m.writeComponent(temp, name, ts); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	m.result.Size, err = sizeOf(m.req.Out)
	return err
}

// componentTensors are the tensors of all that is written anew, each with its component in refs.
func componentTensors(folder *format.Folder) (ts []mergeTensor, err error) {
	for _, name := range slices.Sorted(maps.Keys(format.WeightNames)) {
		c, err := folder.Component(name)
		if name == "text_encoder_2" && engine.KindOf(err) == engine.NotFound { // only SDXL has it
			continue
		} else if err != nil {
			return nil, err
		}
		for _, tensor := range c.Weights.Names() {
			stored, err := format.StoredIn(c.Weights, tensor)
			if err != nil {
				return nil, err
			}
			ts = append(ts, mergeTensor{Stored: stored, refs: []format.Ref{{Part: name, Name: tensor, Of: 1}},
				load: func() (*kernel.Tensor, error) { return c.Weights.Tensor(tensor) }})
		}
	}
	return ts, nil
}

func (m *merger) writeComponent(dir, name string, all []mergeTensor) error {
	ts := slices.DeleteFunc(slices.Clone(all), func(t mergeTensor) bool { return t.refs[0].Part != name })
	if len(ts) == 0 {
		return nil
	}
	return format.WriteStored(filepath.Join(dir, name, format.WeightNames[name]), m.merged(ts), map[string]string{"format": "pt"})
}
