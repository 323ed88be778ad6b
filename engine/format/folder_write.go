package format

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"easel/engine"
	"easel/engine/internal/atomicfile"
)

const opWriteFolder = "write diffusers folder"

// WeightNames are the files for the weights of each component that is written anew, whatever the model's own were
// called: shards and half-precision variants become one file that every program finds.
var WeightNames = map[string]string{
	partUNet: "diffusion_pytorch_model.safetensors", partVAE: "diffusion_pytorch_model.safetensors",
	partText: "model.safetensors", partText2: "model.safetensors",
}

// WriteAs makes a folder at out with a copy of all that d holds but its weights, which weights writes into dir. The new
// folder appears whole or not at all: it is made under another name beside its place. What is hidden stays behind. An
// *engine.Error of weights is returned as it is.
func (d *Folder) WriteAs(ctx context.Context, out string, weights func(dir string) error) error {
	out = filepath.Clean(out)
	temp := filepath.Join(filepath.Dir(out), ".easel-"+rand.Text()+".tmp")
	defer os.RemoveAll(temp) // nothing is left there when all went well
	err := d.CopyRest(ctx, temp)
	if err == nil {
		err = weights(temp)
	}
	if err == nil {
		err = os.Rename(temp, out)
	}
	if e := new(engine.Error); err == nil || errors.As(err, &e) {
		return err
	}
	return engine.Errorf(opWriteFolder, out, engine.BadFile, "%w", err)
}

// CopyRest makes the folder dir with a copy of all that d holds but weights. What is hidden stays behind. A component that
// is a link to a folder is copied; links within it are not followed again, and are an error of kind Unsupported.
func (d *Folder) CopyRest(ctx context.Context, dir string) error {
	return copyRest(ctx, d.fsys, "", dir)
}

// copyRest copies from fsys, which is d's own where within is empty, else what a link of that name leads to.
func copyRest(ctx context.Context, fsys fs.FS, within, dir string) error {
	return fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
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
		case ctx.Err() != nil:
			return engine.Errorf(opWriteFolder, dir, engine.Cancelled, "%w", ctx.Err())
		}
		if info, err := fs.Stat(fsys, name); err != nil || !info.IsDir() || entry.Type()&fs.ModeSymlink == 0 {
			return copyFile(fsys, name, to)
		}
		if within != "" {
			return engine.Errorf(opWriteFolder, "", engine.Unsupported, "%s is a link within a folder that is a link itself", path.Join(within, name))
		}
		linked, err := fs.Sub(fsys, name)
		if err != nil {
			return err
		}
		return copyRest(ctx, linked, name, to)
	})
}

// isWeights says whether a file of the model holds weights that are written anew, or whole checkpoints beside them.
// Other components, such as a safety checker, keep theirs.
func isWeights(name string) bool {
	dir, base := path.Split(name)
	if dir != "" && WeightNames[strings.TrimSuffix(dir, "/")] == "" {
		return false
	}
	switch path.Ext(base) {
	case ".safetensors", ".bin", ".ckpt", ".pt", ".pth", ".msgpack", ".onnx", ".onnx_data", ".h5", ".gguf":
		return true
	}
	return strings.Contains(base, ".index.") // of shards
}

func copyFile(fsys fs.FS, name, to string) error {
	from, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer from.Close()
	return atomicfile.Write(opWriteFolder, to, func(w io.Writer) error {
		_, err := io.Copy(w, from)
		return err
	})
}
