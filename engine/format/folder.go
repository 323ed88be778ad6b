package format

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"easel/engine"
	"easel/engine/kernel"
)

const opFolder = "read diffusers folder"

// maxJSON bounds the small JSON files of a folder; indexes of shards are the largest, under 1 MB for SDXL.
const maxJSON = 32 << 20

// Source gives tensors by name, out of one file or several.
type Source interface {
	Names() []string
	Has(name string) bool
	Info(name string) (dtype string, shape []int, ok bool)
	Tensor(name string) (*kernel.Tensor, error)
}

// Folder is a model in diffusers' layout: model_index.json and a folder for each component.
type Folder struct {
	fsys  fs.FS
	root  string // where fsys lies on the disk; empty for others than os.DirFS
	class string
	parts map[string]string // component -> class
	files []*File
}

// Component is one part of a Folder, such as the UNet.
type Component struct {
	Class   string // such as "UNet2DConditionModel"
	Config  []byte // config.json as it is
	Weights Source
}

// OpenFolder reads the model_index.json of fsys: os.DirFS of a user's folder, or an embed.FS. Errors: NotFound
// where there is none, BadFile where it is damaged.
func OpenFolder(fsys fs.FS) (*Folder, error) {
	d := newFolder(fsys)
	raw, err := d.read("model_index.json")
	if err != nil {
		return nil, err
	}
	var index map[string]json.RawMessage
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, d.errorf("model_index.json", engine.BadFile, "this is no JSON object: %w", err)
	}
	json.Unmarshal(index["_class_name"], &d.class)
	for name, value := range index {
		// A component is [library, class]; one that is absent is [null, null], and settings are no lists.
		var class [2]*string
		if json.Unmarshal(value, &class) == nil && class[1] != nil && fs.ValidPath(name) && !strings.Contains(name, "/") {
			d.parts[name] = *class[1]
		}
	}
	return d, nil
}

func newFolder(fsys fs.FS) *Folder {
	d := &Folder{fsys: fsys, parts: map[string]string{}}
	if dir, err := fsys.Open("."); err == nil {
		if osDir, ok := dir.(*os.File); ok {
			d.root = osDir.Name()
		}
		dir.Close()
	}
	return d
}

// Class is the pipeline's class, such as "StableDiffusionPipeline".
func (d *Folder) Class() string { return d.class }

// Path is where the folder lies on the disk; empty for others than os.DirFS.
func (d *Folder) Path() string { return d.root }

// Has says whether the model has a component.
func (d *Folder) Has(component string) bool { return d.parts[component] != "" }

// Component opens a part that has weights: "unet", "vae", "text_encoder", "text_encoder_2". Errors: NotFound,
// BadFile, and those of Open.
func (d *Folder) Component(name string) (*Component, error) {
	class, ok := d.parts[name]
	if !ok {
		return nil, d.errorf("model_index.json", engine.NotFound, "the model has no component %q", name)
	}
	config, err := d.read(path.Join(name, "config.json"))
	if err != nil {
		return nil, err
	}
	weights, err := d.weights(name)
	if err != nil {
		return nil, err
	}
	return &Component{Class: class, Config: config, Weights: weights}, nil
}

// Scheduler returns scheduler/scheduler_config.json as it is.
func (d *Folder) Scheduler() ([]byte, error) { return d.read("scheduler/scheduler_config.json") }

// Close closes the files of all components opened.
func (d *Folder) Close() error {
	var errs []error
	for _, f := range d.files {
		errs = append(errs, f.Close())
	}
	d.files = nil
	return errors.Join(errs...)
}

func (d *Folder) errorf(name string, kind engine.Kind, format string, args ...any) error {
	return engine.Errorf(opFolder, filepath.Join(d.root, filepath.FromSlash(name)), kind, format, args...)
}

// read returns a small file.
func (d *Folder) read(name string) ([]byte, error) {
	f, err := d.fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, d.errorf(name, engine.NotFound, "the file is missing")
	} else if err != nil {
		return nil, d.errorf(name, engine.BadFile, "%w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxJSON+1))
	if err != nil {
		return nil, d.errorf(name, engine.BadFile, "%w", err)
	}
	if len(raw) > maxJSON {
		return nil, d.errorf(name, engine.BadFile, "the file is too large for a configuration")
	}
	return raw, nil
}

func (d *Folder) open(name string) (*File, error) {
	f, err := OpenFS(d.fsys, name)
	if err == nil {
		d.files = append(d.files, f)
	}
	return f, err
}
