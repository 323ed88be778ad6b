package train

import (
	"strings"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
)

// Thin writes of a checkpoint what a file can be exported from: the trained values, stored as dtype. That takes a third of
// the checkpoint's size or less, and no run can go on from it.
func Thin(checkpoint, values string, dtype kernel.DType) error {
	f, err := format.Open(checkpoint)
	if err != nil {
		return err
	}
	defer f.Close()
	var tensors []format.Stored
	for _, name := range f.Names() {
		_, shape, _ := f.Info(name)
		if strings.HasPrefix(name, optimizerPrefix) {
			continue
		}
		like := format.StoredAs(name, kernel.New(dtype))
		like.Shape = shape
		like.Data = func() ([]byte, error) { // one tensor at a time
			t, err := f.Tensor(name)
			if err != nil {
				return nil, err
			}
			return t.Convert(dtype).Data, nil
		}
		tensors = append(tensors, like)
	}
	meta := f.Metadata()
	return format.WriteStored(values, tensors, map[string]string{"format": "easel-values", "steps": meta["steps"], "job": meta["job"]})
}

// Load takes over the trained values of a checkpoint or of what Thin wrote; the optimizer begins anew. Prepare must have been called.
// A file with other tensors is an error of kind BadFile, and nothing has changed.
func (t *Trainer) Load(path string) error {
	f, err := format.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	values, err := t.savedValues(f)
	if err != nil {
		return engine.Errorf("load checkpoint", path, engine.BadFile, "%w", err)
	}
	for i, v := range values {
		copy(t.params[i].Value.Data, v.Data)
	}
	return nil
}
