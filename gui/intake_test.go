package gui

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/storage"

	"easel/engine"
	"easel/gui/project"
)

// writeJPEG writes a picture of noise, which is like no other.
func writeJPEG(t testing.TB, path string, width, height int) string {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	seed := fnv.New64a()
	seed.Write([]byte(path))
	r := rand.New(rand.NewPCG(1, seed.Sum64()))
	for i := 0; i < len(m.Pix); i += 4 {
		m.Pix[i], m.Pix[i+1], m.Pix[i+2], m.Pix[i+3] = uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32()), 255
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := jpeg.Encode(f, m, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// imagesOf lists the files of a project's images.
func imagesOf(t *testing.T, w *Window) []string {
	t.Helper()
	entries, err := os.ReadDir(w.project.Images())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestADropOfPicturesMakesAProject(t *testing.T) {
	dir := mkdir(t, filepath.Join(t.TempDir(), "my cat"))
	a, b := writeJPEG(t, filepath.Join(dir, "a 1.jpg"), 64, 48), writeJPEG(t, filepath.Join(dir, "ünï #2.jpg"), 64, 48)
	write(t, filepath.Join(dir, "a 1.txt"), "a cat on a chair")
	w, u := newTestWindow(t, newFakeEngine())
	w.Dropped(fyne.Position{}, []fyne.URI{storage.NewFileURI(a), storage.NewFileURI(b)})
	u.until("both are there", func() bool { return w.project.Pictures() == 2 })
	if w.project.Name() != "my cat" {
		t.Errorf("the project is called %q", w.project.Name())
	}
	if got := imagesOf(t, w); !slices.Equal(got, []string{"a 1.jpg", "a 1.txt", "ünï #2.jpg"}) {
		t.Errorf("images %q", got)
	}
	if w.start.content.Visible() {
		t.Error("the start page is still shown")
	}
}

func TestEverythingThatIsDroppedIsAccountedFor(t *testing.T) {
	dir := t.TempDir()
	folder := mkdir(t, filepath.Join(dir, "photos", "deep"))
	writeJPEG(t, filepath.Join(folder, "one.jpg"), 64, 64)
	write(t, filepath.Join(folder, "notes.pdf"), "%PDF-1.4")
	whole := writeJPEG(t, filepath.Join(dir, "two.jpg"), 64, 64)
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "torn.jpg"), string(data[:len(data)/2]))
	model := write(t, filepath.Join(dir, "base.safetensors"), "a model, says the fake engine")
	w, u := newTestWindow(t, newFakeEngine())
	w.Take([]string{filepath.Join(dir, "photos"), whole, filepath.Join(dir, "torn.jpg"), model, filepath.Join(dir, "missing.png")})
	u.until("the end", func() bool { return says(w, "files were not taken") })
	u.until("it was looked at", func() bool { return w.project.Pictures() == 2 })
	refused := strings.Join(w.notice.details, "\n")
	for _, want := range []string{"notes.pdf: this is not a picture", "missing.png: it cannot be found"} {
		if !strings.Contains(refused, want) {
			t.Errorf("not told: %s; but\n%s", want, refused)
		}
	}
	if got := imagesOf(t, w); !slices.Equal(got, []string{"one.jpg", "torn.jpg", "two.jpg"}) {
		t.Errorf("images %q", got) // the torn one stays, with its reason on the tile
	}
	if w.project.Job().Model != model {
		t.Errorf("the base model is %q", w.project.Job().Model)
	}
}

func TestAnArchiveIsUnpackedIntoTheImages(t *testing.T) {
	dir := t.TempDir()
	picture, err := os.ReadFile(writeJPEG(t, filepath.Join(dir, "p.jpg"), 64, 64))
	if err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(dir, "set.zip")
	f, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	for name, content := range map[string]string{"in/a.jpg": string(picture), "in/a.txt": "a dog", "../../evil.jpg": string(picture) + "1", "/abs.jpg": string(picture) + "2", "in/x.exe": "MZ"} {
		entry, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	w, u := newTestWindow(t, newFakeEngine())
	w.Take([]string{archive})
	u.until("the picture is there", func() bool { return w.project.Pictures() > 0 })
	got := imagesOf(t, w)
	if !slices.Contains(got, "a.jpg") || !slices.Contains(got, "a.txt") {
		t.Errorf("images %q", got)
	}
	for _, outside := range []string{filepath.Join(w.project.Dir(), "evil.jpg"), filepath.Join(filepath.Dir(w.project.Dir()), "evil.jpg"), "/abs.jpg"} {
		if _, err := os.Stat(outside); err == nil {
			t.Errorf("the archive wrote %s", outside)
		}
	}
}

func TestPasteTakesFiles(t *testing.T) {
	dir := t.TempDir()
	a, b := writeJPEG(t, filepath.Join(dir, "a.jpg"), 64, 64), writeJPEG(t, filepath.Join(dir, "b c.jpg"), 64, 64)
	w, u := newTestWindow(t, newFakeEngine())
	w.app.Clipboard().SetContent(a + "\n" + storage.NewFileURI(b).String() + "\n")
	w.paste()
	u.until("both are there", func() bool { return w.project.Pictures() == 2 })
}

func TestPasteTakesAPicture(t *testing.T) {
	picture, err := os.ReadFile(writeJPEG(t, filepath.Join(t.TempDir(), "a.jpg"), 64, 64)) // the kind is told by the content
	if err != nil {
		t.Fatal(err)
	}
	w, u := newTestWindow(t, newFakeEngine())
	w.app.Clipboard().SetContent("copied text")
	w.clipboard = func(context.Context) ([]byte, error) { return picture, nil }
	w.paste()
	u.until("it is there", func() bool { return w.project.Pictures() == 1 })
}

func TestPasteOfNothing(t *testing.T) {
	w, u := newTestWindow(t, newFakeEngine())
	w.app.Clipboard().SetContent("copied text")
	for want, err := range map[string]error{"The clipboard holds neither files nor a picture": nil, "too large": errors.New("too large")} {
		w.notice.hide()
		w.clipboard = func(context.Context) ([]byte, error) { return nil, err }
		w.paste()
		u.until("it says so", func() bool { return w.notice.content.Visible() })
		wantText(t, w, want)
	}
}

func TestADropWhileADialogAsksIsNotTaken(t *testing.T) {
	w, u := newTestWindow(t, newFakeEngine())
	dialog.ShowInformation("a question", "?", w.window)
	w.Dropped(fyne.Position{}, []fyne.URI{storage.NewFileURI(writeJPEG(t, filepath.Join(t.TempDir(), "a.jpg"), 64, 64))})
	time.Sleep(50 * time.Millisecond)
	if len(u.posted) != 0 || w.project.Dir() != "" {
		t.Error("it was taken")
	}
	wantText(t, w, "then drop it again")
}

func TestKeysWhileADialogAsksDoNothingBehindIt(t *testing.T) {
	w, u := newTestWindow(t, newFakeEngine())
	w.app.Clipboard().SetContent(writeJPEG(t, filepath.Join(t.TempDir(), "a.jpg"), 64, 64))
	press := func(s fyne.Shortcut) { w.window.Canvas().(fyne.Shortcutable).TypedShortcut(s) }
	second := &desktop.CustomShortcut{KeyName: fyne.Key2, Modifier: fyne.KeyModifierShortcutDefault}
	d := dialog.NewInformation("a question", "?", w.window)
	d.Show()
	press(&fyne.ShortcutPaste{})
	press(second)
	time.Sleep(50 * time.Millisecond)
	if len(u.posted) != 0 || w.project.Dir() != "" || w.tabs.SelectedIndex() != 0 {
		t.Error("something was taken, or another page is shown")
	}
	wantText(t, w, "then paste it again")
	d.Hide()
	press(&fyne.ShortcutPaste{})
	u.until("it is taken now", func() bool { return w.project.Pictures() == 1 })
	if press(second); w.tabs.SelectedIndex() != 1 {
		t.Error("the page is not shown")
	}
}

func TestPicturesOfARunFromTheCommandLineAreCopiedIn(t *testing.T) {
	elsewhere, dir := t.TempDir(), t.TempDir()
	writeJPEG(t, filepath.Join(elsewhere, "a.jpg"), 64, 64)
	eng := newFakeEngine()
	eng.jobs[dir] = engine.Job{Word: "zorbit", Images: elsewhere}
	w, u := newTestWindow(t, eng)
	w.Open(dir)
	u.until("the picture is there", func() bool { return w.project.Pictures() == 1 })
	if got := w.project.Images(); got != filepath.Join(dir, "images") {
		t.Errorf("the pictures are taken from %s", got)
	}
}

func TestTheNewestJobIsKept(t *testing.T) {
	eng := newFakeEngine()
	w, u := newTestWindow(t, eng)
	w.Take([]string{writeJPEG(t, filepath.Join(t.TempDir(), "a.jpg"), 64, 64)})
	u.until("it is there", func() bool { return w.project.Pictures() == 1 })
	for i := range 20 {
		w.project.Edit(func(j *engine.Job) { j.Word = fmt.Sprint("word", i) })
	}
	w.draft.flush()
	if job, err := eng.Folder(w.project.Dir()).Job(); err != nil || job.Word != "word19" {
		t.Errorf("kept %+v, error %v", job, err)
	}
}

func TestAModelThatCannotBeTrainedIsNamed(t *testing.T) {
	for _, c := range []struct {
		info engine.FileInfo
		want string
	}{
		{engine.FileInfo{Kind: "LoRA"}, "x.safetensors is a LoRA, not a base model."},
		{engine.FileInfo{Kind: "checkpoint", Base: "SDXL", Note: "This is a Stable Diffusion XL model."}, "x.safetensors: This is a Stable Diffusion XL model."},
		{engine.FileInfo{Kind: "tensors", Note: "This is a model of another family."}, "x.safetensors: This is a model of another family."},
		{engine.FileInfo{Kind: "VAE"}, "x.safetensors is a VAE, not a base model."},
		{engine.FileInfo{Kind: "hypernetwork"}, "x.safetensors is what a training has made (hypernetwork)"},
		{engine.FileInfo{Kind: "ControlNet"}, "x.safetensors is no base model but: ControlNet."},
	} {
		w, _ := newTestWindow(t, newFakeEngine())
		w.takeModel("/m/x.safetensors", c.info)
		wantText(t, w, c.want)
	}
}

func TestAPartOfAModelMakesNoProject(t *testing.T) {
	dir := t.TempDir()
	lora, vae := write(t, filepath.Join(dir, "lora.safetensors"), "a LoRA"), write(t, filepath.Join(dir, "vae.safetensors"), "a VAE")
	eng := newFakeEngine()
	w, u := newTestWindow(t, eng)
	w.Take([]string{lora, vae})
	u.until("it is said", func() bool { return says(w, "lora.safetensors is a LoRA, not a base model.") })
	wantText(t, w, "vae.safetensors is a VAE", "begin with pictures")
	if w.project.Dir() != "" || len(eng.jobs) != 0 {
		t.Errorf("it made the project %q", w.project.Dir())
	}
	w.Take([]string{lora, writeJPEG(t, filepath.Join(dir, "a.jpg"), 64, 64)})
	u.until("a picture makes one", func() bool { return w.project.Pictures() == 1 })
	dir = w.project.Dir()
	w.Take([]string{vae})
	u.until("it is said again", func() bool { return says(w, "vae.safetensors is a VAE") })
	if says(w, "begin with pictures") || w.project.Dir() != dir {
		t.Error("with pictures there it asks for some, or leaves the project")
	}
}

func TestPicturesThatComeDuringARunAreForTheNext(t *testing.T) {
	dir := t.TempDir()
	w, u := newTestWindow(t, newFakeEngine())
	const late = "The new pictures count for the next run."
	take := func(n int) {
		t.Helper()
		w.notice.hide()
		w.Take([]string{writeJPEG(t, filepath.Join(dir, fmt.Sprintf("%d.jpg", n)), 64, 64)})
		u.until("it is there", func() bool { return w.project.Pictures() == n })
		u.settle()
	}
	take(1)
	if says(w, late) {
		t.Error("it is said while nothing runs")
	}
	for n := 2; n < 6; n += 2 { // in each of two runs, once
		w.project.SetState(project.Training)
		take(n)
		wantText(t, w, late)
		take(n + 1)
		if says(w, late) {
			t.Error("it is said twice")
		}
		w.project.SetState(project.Idle)
	}
	w.project.SetState(project.Training)
	w.notice.hide()
	w.Take([]string{write(t, filepath.Join(dir, "notes.pdf"), "%PDF-1.4"), writeJPEG(t, filepath.Join(dir, "6.jpg"), 64, 64)})
	u.until("both are told", func() bool { return says(w, "1 file was not taken") && says(w, late) })
	u.until("it is there", func() bool { return w.project.Pictures() == 6 })
	u.settle()
}
