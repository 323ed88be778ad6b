package local

import (
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/atomicfile"
	"easel/engine/kernel"
)

// weightNames are the files for the weights of each component that is written anew, whatever the model's own were
// called: shards and half-precision variants become one file that every program finds.
var weightNames = map[string]string{
	"unet": "diffusion_pytorch_model.safetensors", "vae": "diffusion_pytorch_model.safetensors",
	"text_encoder": "model.safetensors", "text_encoder_2": "model.safetensors",
}

// mergeFolder merges into a model in diffusers form.
func (m *merger) mergeFolder(model fs.FS, family string) error {
	if strings.EqualFold(filepath.Ext(m.req.Out), ".safetensors") {
		return engine.Errorf(opMerge, m.req.Out, engine.BadInput, "the model is a folder, and so is the result: give a folder's name, without .safetensors")
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
	return m.publish(func(temp string) error {
		if err := m.copyRest(model, "", temp); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(weightNames)) {
			if err := m.writeComponent(temp, name, ts); err != nil {
				return err
			}
		}
		return nil
	})
}

// componentTensors are the tensors of all that is written anew, each with its component in refs.
func componentTensors(folder *format.Folder) (ts []mergeTensor, err error) {
	for _, name := range slices.Sorted(maps.Keys(weightNames)) {
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
	file := filepath.Join(dir, name, weightNames[name])
	if err := format.WriteStored(file, m.merged(ts), map[string]string{"format": "pt"}); err != nil {
		return err
	}
	return m.weigh(file)
}

// copyRest makes the folder dir with a copy of everything that is not written anew. What is hidden stays behind. within is
// empty for the model's own folder, else a part of it that is a link to model; links within it are not followed again.
func (m *merger) copyRest(model fs.FS, within, dir string) error {
	return fs.WalkDir(model, ".", func(name string, entry fs.DirEntry, err error) error {
		to := filepath.Join(dir, filepath.FromSlash(name))
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(entry.Name(), ".") && entry.IsDir():
			return fs.SkipDir
		case name != "." && strings.HasPrefix(entry.Name(), "."), isWeights(path.Join(within, name)):
			return nil
		case entry.IsDir():
			return os.MkdirAll(to, 0o755)
		}
		if info, err := fs.Stat(model, name); err != nil || !info.IsDir() || entry.Type()&fs.ModeSymlink == 0 {
			return m.copy(model, name, to)
		}
		if within != "" {
			return engine.Errorf(opMerge, m.req.Model, engine.Unsupported, "%s is a link within a folder that is a link itself", path.Join(within, name))
		}
		linked, err := fs.Sub(model, name)
		if err != nil {
			return err
		}
		return m.copyRest(linked, name, to)
	})
}

// isWeights says whether a file of the model holds weights that are written anew, or whole checkpoints beside them.
// Other components, such as a safety checker, keep theirs.
func isWeights(name string) bool {
	dir, base := path.Split(name)
	if dir != "" && weightNames[strings.TrimSuffix(dir, "/")] == "" {
		return false
	}
	switch path.Ext(base) {
	case ".safetensors", ".bin", ".ckpt", ".pt", ".pth", ".msgpack", ".onnx", ".onnx_data", ".h5", ".gguf":
		return true
	}
	return strings.Contains(base, ".index.") // of shards
}

func (m *merger) copy(model fs.FS, name, to string) error {
	if err := m.ctx.Err(); err != nil {
		return engine.Errorf(opMerge, m.req.Out, engine.Cancelled, "%w", err)
	}
	from, err := model.Open(name)
	if err != nil {
		return err
	}
	defer from.Close()
	return atomicfile.Write(opMerge, to, func(w io.Writer) error {
		n, err := io.Copy(w, from)
		m.result.Size += n
		return err
	})
}
