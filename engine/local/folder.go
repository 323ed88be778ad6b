package local

import (
	"cmp"
	"context"
	"image"
	"os"
	"path/filepath"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/format"
	"easel/engine/model"
	"easel/engine/store"
	"easel/engine/tokenizer"
)

// The folders of a project in which its pictures lie, and those that were removed.
const (
	imagesFolder  = "images"
	removedFolder = "removed"
)

// folder implements engine.Folder.
type folder struct {
	l   *local
	dir string
}

// Folder implements engine.Engine.
func (l *local) Folder(dir string) engine.Folder { return folder{l, dir} }

// CheckCaption implements engine.Engine.
func (l *local) CheckCaption(caption, word, class string) engine.CaptionCheck {
	return dataset.CheckCaption(caption, word, class, tokenizer.CLIP().Count)
}

func (f folder) images() string  { return filepath.Join(f.dir, imagesFolder) }
func (f folder) removed() string { return filepath.Join(f.dir, removedFolder) }

// Job implements engine.Folder.
func (f folder) Job() (engine.Job, error) { return store.Draft(f.dir) }

// SaveJob implements engine.Folder.
func (f folder) SaveJob(job engine.Job) error {
	if err := os.MkdirAll(f.dir, 0o777); err != nil {
		return engine.Errorf("make project", f.dir, engine.BadFile, "%w; choose a folder that you may write to", err)
	}
	return store.SaveDraft(f.dir, job)
}

// Import implements engine.Folder.
func (f folder) Import(ctx context.Context, paths []string, found func(engine.Imported)) error {
	isModel := func(path string) (engine.FileInfo, bool) {
		info, err := f.l.Inspect(ctx, path)
		return info, err == nil && info.Kind != string(format.KindUnknown)
	}
	return dataset.Import(ctx, f.images(), paths, isModel, found)
}

// Survey implements engine.Folder.
func (f folder) Survey(ctx context.Context, req engine.SurveyRequest, found func(engine.PictureInfo)) error {
	buckets, err := bucketsOf(req)
	if err != nil {
		return err
	}
	return dataset.Survey(ctx, f.images(), dataset.SurveyOptions{Buckets: buckets, Cache: f.l.thumbnails(f.dir)}, found)
}

// thumbnails is the folder with what was learnt of a project's pictures.
func (l *local) thumbnails(project string) string {
	return filepath.Join(cmp.Or(l.cache, project), "thumbnails")
}

// bucketsOf are the sizes at which a model trains. A model that cannot be opened is no reason to show no pictures: they
// are shown as Stable Diffusion 1 would train them.
func bucketsOf(req engine.SurveyRequest) ([]image.Point, error) {
	usual := dataset.Buckets{Resolution: cmp.Or(req.Resolution, 512), Min: 256, Max: 1024, Step: 64}
	m, err := openModel(cmp.Or(req.Model, builtinName), model.Options{})
	if err != nil {
		return usual.Sizes()
	}
	defer m.Close()
	return (&pipeline{model: m}).buckets(cmp.Or(req.Resolution, m.Resolution())).Sizes()
}

// SaveCaption implements engine.Folder.
func (f folder) SaveCaption(name, caption string) error {
	return dataset.SaveCaption(f.images(), name, caption)
}

// SaveCrop implements engine.Folder.
func (f folder) SaveCrop(name string, crop engine.Crop) error {
	return dataset.SaveCrop(f.images(), name, crop)
}

// Remove implements engine.Folder.
func (f folder) Remove(names []string) error {
	return dataset.Remove(f.images(), f.removed(), names)
}

// Restore implements engine.Folder.
func (f folder) Restore(names []string) error {
	return dataset.Restore(f.images(), f.removed(), names)
}
