package local

import (
	"crypto/rand"
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

// mergeFolder merges into a model in diffusers form. The new folder appears whole or not at all: it is made under
// another name beside its place.
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
	out := filepath.Clean(m.req.Out)
	temp := filepath.Join(filepath.Dir(out), ".easel-"+rand.Text()+".tmp")
	defer os.RemoveAll(temp) // nothing is left there when all went well
	if err := m.copyRest(model, temp); err != nil {
		return inMerge(out, err)
	}
	for _, name := range slices.Sorted(maps.Keys(weightNames)) {
		if err := m.writeComponent(temp, name, ts); err != nil {
			return err
		}
	}
	if err := os.Rename(temp, out); err != nil {
		return inMerge(out, err)
	}
	return nil
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

// copyRest makes the folder dir with a copy of everything that is not written anew. What is hidden stays behind.
func (m *merger) copyRest(model fs.FS, dir string) error {
	return fs.WalkDir(model, ".", func(name string, entry fs.DirEntry, err error) error {
		to := filepath.Join(dir, filepath.FromSlash(name))
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(entry.Name(), ".") && entry.IsDir():
			return fs.SkipDir
		case name != "." && strings.HasPrefix(entry.Name(), "."), isWeights(name):
			return nil
		case entry.IsDir():
			return os.MkdirAll(to, 0o755)
		}
		return m.copy(model, name, to)
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
