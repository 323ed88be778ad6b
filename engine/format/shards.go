package format

import (
	"encoding/json"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/kernel"
)

// weightFiles are the names that diffusers and transformers give the weights, the best first: safetensors
// before pickles, full precision before half, one file before the index of several (diffusers/utils/constants.py).
var weightFiles = []string{
	"diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json",
	"model.safetensors", "model.safetensors.index.json",
	"diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.safetensors.index.fp16.json",
	"model.fp16.safetensors", "model.safetensors.index.fp16.json",
	"diffusion_pytorch_model.bin", "diffusion_pytorch_model.bin.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
	"diffusion_pytorch_model.fp16.bin", "pytorch_model.fp16.bin",
}

// weights opens the weights of a component, in one file or in shards.
func (d *Folder) weights(component string) (Source, error) {
	for _, base := range weightFiles {
		name := path.Join(component, base)
		if _, err := fs.Stat(d.fsys, name); err != nil {
			continue
		}
		if strings.HasSuffix(base, ".json") {
			return d.shards(component, name)
		}
		return d.open(name)
	}
	return nil, d.errorf(component, engine.NotFound, "there are no weights; expected %s", weightFiles[0])
}

// shards is a Source over several files.
type shards struct {
	names []string // file by file, in the order of the data
	in    map[string]*File
}

// shards opens the files that an index names.
func (d *Folder) shards(component, index string) (Source, error) {
	raw, err := d.read(index)
	if err != nil {
		return nil, err
	}
	var parsed struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(raw, &parsed); err != nil || len(parsed.WeightMap) == 0 {
		return nil, d.errorf(index, engine.BadFile, "the index has no weight_map")
	}
	bases := map[string]bool{}
	for _, base := range parsed.WeightMap {
		bases[base] = true
	}
	s := &shards{in: map[string]*File{}}
	for _, base := range slices.Sorted(maps.Keys(bases)) {
		if !fs.ValidPath(base) || path.Base(base) != base {
			return nil, d.errorf(index, engine.BadFile, "the index names %q, which is no file beside it", base)
		}
		f, err := d.open(path.Join(component, base))
		if err != nil {
			return nil, err
		}
		for _, name := range f.Names() {
			if s.in[name] != nil {
				return nil, d.errorf(index, engine.BadFile, "tensor %q lies in two files", name)
			}
			s.in[name] = f
			s.names = append(s.names, name)
		}
	}
	for name, base := range parsed.WeightMap {
		if f := s.in[name]; f == nil {
			return nil, d.errorf(index, engine.BadFile, "tensor %q is not in %s", name, base)
		}
	}
	return s, nil
}

func (s *shards) Names() []string { return slices.Clone(s.names) }

func (s *shards) Has(name string) bool { return s.in[name] != nil }

func (s *shards) Info(name string) (dtype string, shape []int, ok bool) {
	if f := s.in[name]; f != nil {
		return f.Info(name)
	}
	return "", nil, false
}

func (s *shards) Tensor(name string) (*kernel.Tensor, error) {
	if f := s.in[name]; f != nil {
		return f.Tensor(name)
	}
	return nil, engine.Errorf(opRead, "", engine.NotFound, "there is no tensor %q", name)
}
