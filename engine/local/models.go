package local

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/format"
)

// modelFolders are where programs keep models that can be trained, below the user's own folder: A1111 and its fork Forge,
// ComfyUI, Fooocus, Stability Matrix, the cache of diffusers, and what a browser loads.
var modelFolders = []string{
	"stable-diffusion-webui/models/Stable-diffusion",
	"stable-diffusion-webui-forge/models/Stable-diffusion",
	"ComfyUI/models/checkpoints",
	"Fooocus/models/checkpoints",
	"StabilityMatrix/Models/StableDiffusion",
	".cache/huggingface/hub",
	"models",
	"Downloads",
}

// modelDepth is how many folders deep a model may lie: as in the cache of diffusers, models--x--y/snapshots/HASH.
const modelDepth = 3

// Models implements engine.Engine.
func (l *local) Models(ctx context.Context, places []string, found func(engine.FileInfo)) error {
	if home, err := os.UserHomeDir(); err == nil {
		for _, folder := range modelFolders {
			places = append(slices.Clip(places), filepath.Join(home, filepath.FromSlash(folder)))
		}
	}
	s := modelSearch{ctx: ctx, seen: map[string]bool{}, found: found, inspect: func(path string) (engine.FileInfo, error) { return l.Inspect(ctx, path) }}
	for _, place := range places {
		if err := s.look(place, 0); err != nil {
			return err
		}
	}
	return nil
}

// modelSearch is one call of Models.
type modelSearch struct {
	ctx     context.Context
	seen    map[string]bool // by their path without links
	found   func(engine.FileInfo)
	inspect func(path string) (engine.FileInfo, error)
}

// look looks at a file, or at what is in a folder. What cannot be read is passed over; the error is the context's.
func (s *modelSearch) look(path string, depth int) error {
	if s.ctx.Err() != nil {
		return engine.Errorf("look for models", path, engine.Cancelled, "%w", s.ctx.Err())
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil || s.seen[real] {
		return nil
	}
	stat, err := os.Stat(real)
	if err != nil || !stat.IsDir() && !holdsWeights(path, stat) { // a link to it may have a name that says more
		return nil
	}
	s.seen[real] = true
	switch {
	case !stat.IsDir():
		s.take(path)
		return nil
	case isFolderModel(real):
		s.take(path) // what is in it belongs to it
		return nil
	case depth > modelDepth:
		return nil
	}
	entries, err := os.ReadDir(real)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if err := s.look(filepath.Join(path, e.Name()), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// take tells of a path where its content is that of a model to train.
func (s *modelSearch) take(path string) {
	info, err := s.inspect(path)
	if err == nil && (info.Kind == string(format.KindCheckpoint) || info.Kind == string(format.KindFolder)) {
		s.found(info)
	}
}

// holdsWeights says whether a file is worth opening: a Downloads folder holds much else. By the name models are only looked
// for; what a file is its content says.
func holdsWeights(path string, stat fs.FileInfo) bool {
	ending := strings.ToLower(filepath.Ext(path))
	return stat.Mode().IsRegular() && slices.Contains([]string{".safetensors", ".ckpt", ".pt", ".pth"}, ending)
}

// isFolderModel says whether a folder is a model in diffusers form.
func isFolderModel(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "model_index.json"))
	return err == nil
}
