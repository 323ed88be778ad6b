package gui

import (
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"github.com/disintegration/imaging"

	"easel/engine"
	"easel/gui/guitest"
	"easel/gui/settings"
	"easel/gui/theme"
	"easel/samples"
)

// TestScreens draws each page into the folder that EASEL_SCREENS names, for people to look at: `make screens`. It fails
// only where a page cannot be drawn.
func TestScreens(t *testing.T) {
	dir := os.Getenv("EASEL_SCREENS")
	if dir == "" {
		t.Skip("EASEL_SCREENS names no folder for pictures of the pages")
	}
	project := attention(t)
	for _, c := range []struct {
		name          string
		width, height float32
		values        settings.Values
	}{
		{"small-light", 1000, 700, settings.Values{Variant: theme.Light, Scale: 1}},
		{"large-dark", 1440, 900, settings.Values{Variant: theme.Dark, Scale: 1}},
		{"small-light-150", 1000, 700, settings.Values{Variant: theme.Light, Scale: 1.5}},
		{"small-dark", 1000, 700, settings.Values{Variant: theme.Dark, Scale: 1}},
	} {
		eng := newFakeEngine()
		run := finished(t, project)
		eng.comparison = compared(t, project, eng.Methods())
		eng.jobs[project], eng.runs[project] = engine.Job{Word: "zorbit", Class: "monster toy"}, run
		u := newUI(t)
		app := test.NewTempApp(t)
		c.values.Projects, c.values.Threads, c.values.Awake = "/home/you/Easel", -1, true
		c.values.Save(app.Preferences())
		w := NewWindow(app, eng, u.post)
		w.project.Runner = &fakeRunner{}
		w.window.Resize(fyne.NewSize(c.width, c.height))
		shoot := func(page string) { capture(t, w, filepath.Join(dir, fmt.Sprintf("%s-%s.png", page, c.name))) }
		shoot("start")
		w.Open(project)
		u.until("the pictures are looked at", func() bool { return w.project.Pictures() == 14 && len(u.posted) == 0 })
		w.pictures.Focus()
		for range 5 { // to the wide one
			w.window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
		}
		for range 30 { // thumbnails and the check of the caption come by and by
			w.window.Canvas().Capture()
			u.settle()
		}
		shoot("pictures")
		w.tabs.SelectIndex(1)
		u.settle()
		shoot("method")
		w.showComparison()
		u.until("the comparison is read", func() bool { return says(w, "In figures") })
		u.until("the pictures are read", func() bool { return len(images(w.compare.Content())) == 36 })
		for range 3 { // as the window does at each frame, until all have the height that their texts need
			w.compare.Content().Refresh()
		}
		shoot("compare")
		guitest.Find[*container.Scroll](w.compare.Content())[0].ScrollToBottom()
		shoot("compare-figures")
		w.showMethod()
		w.tabs.SelectIndex(3)
		u.settle()
		shoot("export")
		w.tabs.SelectIndex(2)
		u.until("the grid is read", func() bool { return says(w, "a red apple") })
		shoot("train")
		w.tabs.SelectIndex(len(w.tabs.Items) - 1)
		u.settle()
		shoot("settings")
	}
}

// attention makes a project with pictures that want attention.
func attention(t *testing.T) string {
	dir := filepath.Join(t.TempDir(), "zorbit")
	images := filepath.Join(dir, "images")
	for _, s := range samples.All()[:1] {
		if err := s.Copy(images); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) image.Image {
		img, err := imaging.Open(filepath.Join(images, name))
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	save := func(name string, img image.Image) {
		f, err := os.Create(filepath.Join(images, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := jpeg.Encode(f, img, nil); err != nil {
			t.Fatal(err)
		}
	}
	save("again.jpg", imaging.AdjustBrightness(read("zorbit_05.png"), 2))
	save("blurred.jpg", imaging.Blur(read("zorbit_06.png"), 4))
	save("tall.jpg", imaging.Crop(read("zorbit_04.png"), image.Rect(100, 0, 412, 512)))
	save("tiny.jpg", imaging.Resize(read("zorbit_08.png"), 120, 0, imaging.Lanczos))
	save("wide.jpg", imaging.Resize(imaging.Crop(read("zorbit_02.png"), image.Rect(0, 80, 512, 420)), 1536, 0, imaging.Lanczos))
	save("zorbit at night.jpg", imaging.AdjustBrightness(read("zorbit_03.png"), -40))
	save("torn.jpg", read("zorbit_01.png"))
	torn := filepath.Join(images, "torn.jpg")
	if err := os.Truncate(torn, 9000); err != nil {
		t.Fatal(err)
	}
	return dir
}

func capture(t *testing.T, w *Window, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(f, w.window.Canvas().Capture()); err != nil {
		t.Fatal(err)
	}
}
