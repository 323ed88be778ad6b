package gui

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"fyne.io/fyne/v2/lang"

	"easel/engine"
)

// takeModel makes a model that was dropped the one that is trained, or that writes captions, or says what else it is.
func (w *Window) takeModel(path string, info engine.FileInfo) {
	switch {
	case trainable(info):
		w.project.Edit(func(j *engine.Job) { j.Model = path })
		w.notice.tell(fmt.Sprintf(lang.L("%s is the base model now."), filepath.Base(path)))
	case info.Kind == blip, info.Kind == wdTagger:
		w.takeCaptioner(path, info.Kind)
	default:
		w.notice.show(aboutPart(path, info), nil)
	}
}

// trainable says whether a file or folder is a base model that Easel trains: of others the engine notes why it does not.
func trainable(info engine.FileInfo) bool {
	return (info.Kind == "checkpoint" || info.Kind == "diffusers folder") && info.Note == ""
}

// noParts are the kinds of files that something begins with, as engine.FileInfo has them, beside models that are trained. All
// others are parts of models, or models that Easel does not train.
var noParts = []string{"unknown", "picture with parameters", blip, wdTagger}

// partsOf says what paths are where all are parts of models, which make no project; else "". Any goroutine may ask.
func (w *Window) partsOf(paths []string) string {
	var about []string
	for _, path := range paths {
		info, err := w.eng.Inspect(w.ctx, path)
		if err != nil || trainable(info) || slices.Contains(noParts, info.Kind) {
			return ""
		}
		about = append(about, aboutPart(path, info))
	}
	return strings.Join(about, "\n")
}

// tellParts tells about parts of models, and what to begin with where nothing has begun.
func (w *Window) tellParts(about string) {
	if w.project.Dir() == "" {
		about += "\n" + lang.L("To train, begin with pictures: drop some onto this window.")
	}
	w.notice.show(about, nil)
}

// aboutPart says what a part of a model is, and where it is of use.
func aboutPart(path string, info engine.FileInfo) string {
	name := filepath.Base(path)
	switch {
	case info.Kind == "LoRA", info.Kind == "LoRA with words":
		return fmt.Sprintf(lang.L("%s is a LoRA, not a base model. The Export page merges it into one; on the Method page, under All settings, training can begin with it."), name)
	case info.Note != "":
		return name + ": " + info.Note
	case info.Kind == "VAE":
		return fmt.Sprintf(lang.L("%s is a VAE, not a base model. On the Method page, under All settings, it can take the place of the base model's own."), name)
	case info.Kind == "textual inversion", info.Kind == "hypernetwork":
		return fmt.Sprintf(lang.L("%s is what a training has made (%s), not a base model. Programs that make pictures load it beside one; Easel makes a new one from your pictures."), name, info.Kind)
	}
	return fmt.Sprintf(lang.L("%s is no base model but: %s."), name, info.Kind)
}
