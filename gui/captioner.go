package gui

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fyne.io/fyne/v2/lang"
)

// The kinds of models that describe pictures, as engine.FileInfo has them.
const (
	blip     = "BLIP captioner"
	wdTagger = "WD tagger"
)

// tagsFile is the list of a WD tagger's tags, beside its weights.
const tagsFile = "selected_tags.csv"

// captionerFiles are the endings of what belongs to a captioner, and may be dropped along with its weights.
var captionerFiles = []string{".csv", ".json", ".txt"}

// captionerOf finds the captioner that paths are, with nothing but the small files beside it. It is a setting of the
// window's, and makes no project. Any goroutine may ask.
func (w *Window) captionerOf(paths []string) (path, kind string, ok bool) {
	for _, p := range paths {
		if slices.Contains(captionerFiles, strings.ToLower(filepath.Ext(p))) {
			continue
		}
		info, err := w.eng.Inspect(w.ctx, p)
		if err != nil || path != "" || info.Kind != blip && info.Kind != wdTagger {
			return "", "", false
		}
		path, kind = p, info.Kind
	}
	return path, kind, path != ""
}

// takeCaptioner has a model that was dropped write the captions from now on.
func (w *Window) takeCaptioner(path, kind string) {
	name := filepath.Base(path)
	if kind == wdTagger && !hasTags(path) {
		w.notice.show(fmt.Sprintf(lang.L("%s is a WD tagger without its tags. Put %s into the same folder, then drop the tagger again."), name, tagsFile), nil)
		return
	}
	w.settings.SetCaptioner(path)
	w.notice.tell(fmt.Sprintf(lang.L("Captions are now written by %s (%s)."), name, kind))
}

// hasTags tells whether the list of tags lies in a tagger's folder, or beside its file.
func hasTags(path string) bool {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		path = filepath.Dir(path)
	}
	_, err := os.Stat(filepath.Join(path, tagsFile))
	return err == nil
}

// captioner is the path of the user's own captioner, "" where captions are written by the usual one. A captioner that is
// gone is forgotten, which is told.
func (w *Window) captioner() string {
	path := w.values.Captioner
	if path == "" {
		return ""
	}
	if _, err := os.Stat(path); err != nil {
		w.settings.SetCaptioner("")
		w.notice.show(fmt.Sprintf(lang.L("%s is gone. Captions are written by the usual captioner again."), path), nil)
		return ""
	}
	return path
}
