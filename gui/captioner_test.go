package gui

import (
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"

	"easel/engine/format"
	"easel/gui/guitest"
	"easel/gui/settings"
)

// tagger writes what the fake engine takes for a WD tagger, with its tags.
func tagger(t *testing.T) (dir string) {
	dir = mkdir(t, filepath.Join(t.TempDir(), "wd-tagger"))
	write(t, filepath.Join(dir, "model.safetensors"), "weights")
	write(t, filepath.Join(dir, tagsFile), "tags")
	return dir
}

func TestACaptionerThatIsDroppedWritesTheCaptions(t *testing.T) {
	dir := tagger(t)
	file := filepath.Join(dir, "model.safetensors")
	blip := write(t, filepath.Join(t.TempDir(), "blip_large.pth"), "weights")
	for name, c := range map[string]struct {
		paths      []string
		path, says string
	}{
		"a tagger's folder":         {[]string{dir}, dir, "Captions are now written by wd-tagger (WD tagger)."},
		"its file":                  {[]string{file}, file, "Captions are now written by model.safetensors (WD tagger)."},
		"its file and its tags":     {[]string{filepath.Join(dir, tagsFile), file}, file, "Captions are now written by model.safetensors (WD tagger)."},
		"a BLIP, as Salesforce has": {[]string{blip}, blip, "Captions are now written by blip_large.pth (BLIP captioner)."},
	} {
		t.Run(name, func(t *testing.T) {
			w, u := newTestWindow(t, newFakeEngine())
			var uris []fyne.URI
			for _, p := range c.paths {
				uris = append(uris, storage.NewFileURI(p))
			}
			w.Dropped(fyne.Position{}, uris)
			u.until("it is said", func() bool { return says(w, c.says) })
			if got := settings.Load(w.app.Preferences()).Captioner; got != c.path || w.captioner() != c.path {
				t.Errorf("captions are written by %q, and %q is kept", w.captioner(), got)
			}
			if w.project.Dir() != "" {
				t.Errorf("it made the project %s", w.project.Dir())
			}
		})
	}
}

func TestACaptionerAmongPicturesIsTaken(t *testing.T) {
	dir := mkdir(t, filepath.Join(t.TempDir(), "mixed"))
	writeJPEG(t, filepath.Join(dir, "a.jpg"), 64, 64)
	blip := write(t, filepath.Join(dir, "blip.safetensors"), "weights")
	w, u := newTestWindow(t, newFakeEngine())
	w.Take([]string{dir})
	u.until("the picture is there", func() bool { return w.project.Pictures() == 1 })
	u.until("the captioner is", func() bool { return w.captioner() == blip })
	wantText(t, w, "Captions are now written by blip.safetensors (BLIP captioner).")
	if w.project.Job().Model == blip {
		t.Error("it is the base model too")
	}
	guitest.Tap(t, w.window.Content(), "Write captions")
	asks := w.window.Canvas().Overlays().Top()
	guitest.WantText(t, asks, blip+" writes them.")
	guitest.Capture(t, w.window, "captions-own")
	guitest.Tap(t, asks, "Back to the usual captioner")
	guitest.WantText(t, asks, "The usual captioner writes them.")
	guitest.Capture(t, w.window, "captions-usual")
	if got := settings.Load(w.app.Preferences()).Captioner; got != "" {
		t.Errorf("%s is kept", got)
	}
}

func TestATaggerWithoutItsTagsIsNotTaken(t *testing.T) {
	dir := tagger(t)
	if err := os.Remove(filepath.Join(dir, tagsFile)); err != nil {
		t.Fatal(err)
	}
	w, u := newTestWindow(t, newFakeEngine())
	w.Take([]string{dir})
	u.until("it is said", func() bool { return says(w, "Put selected_tags.csv into the same folder") })
	if got := w.captioner(); got != "" {
		t.Errorf("captions are written by %s", got)
	}
}

func TestACaptionerThatIsGoneIsForgotten(t *testing.T) {
	dir := tagger(t)
	w, u := newTestWindow(t, newFakeEngine())
	w.Take([]string{dir})
	u.until("it is taken", func() bool { return w.captioner() == dir })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if got := w.captioner(); got != "" {
		t.Errorf("captions are written by %s", got)
	}
	wantText(t, w, dir+" is gone. Captions are written by the usual captioner again.")
	if v := settings.Load(w.app.Preferences()); v.Captioner != "" || w.values.Captioner != "" {
		t.Errorf("kept: %+v", v)
	}
}

func TestTheEngineCallsCaptionersSo(t *testing.T) {
	if blip != string(format.KindCaptioner) || wdTagger != string(format.KindTagger) || tagsFile != format.TagsFile {
		t.Errorf("the engine says %q, %q and %q", format.KindCaptioner, format.KindTagger, format.TagsFile)
	}
}
