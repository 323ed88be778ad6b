package gui

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
)

// fakeEngine knows a few projects by their folder's name.
type fakeEngine struct {
	engine.Engine
	runs map[string]engine.Run
	wait map[string]chan struct{} // holds a project back until closed
}

func (e *fakeEngine) OpenRun(ctx context.Context, dir string) (engine.Run, error) {
	if gate, ok := e.wait[dir]; ok {
		<-gate
	}
	run, ok := e.runs[dir]
	if !ok {
		return run, engine.Errorf("open project", dir, engine.NotFound, "no Easel project is here")
	}
	return run, ctx.Err()
}

// newTestWindow returns a window, and a function that waits for a posted function and runs it here, as Fyne would.
func newTestWindow(t *testing.T, eng engine.Engine) (w *Window, runPosted func()) {
	posted := make(chan func())
	w = NewWindow(test.NewTempApp(t), eng, func(f func()) { posted <- f })
	t.Cleanup(w.stop)
	return w, func() { (<-posted)() }
}

// texts lists what a reader sees below object.
func texts(object fyne.CanvasObject) []string {
	var all []string
	visit(object, func(o fyne.CanvasObject) {
		if label, ok := o.(*widget.Label); ok && label.Text != "" {
			all = append(all, label.Text)
		}
	})
	return all
}

func images(object fyne.CanvasObject) (all []image.Image) {
	visit(object, func(o fyne.CanvasObject) {
		if shown, ok := o.(*canvas.Image); ok && shown.Image != nil {
			all = append(all, shown.Image)
		}
	})
	return all
}

func visit(object fyne.CanvasObject, f func(fyne.CanvasObject)) {
	f(object)
	switch o := object.(type) {
	case *fyne.Container:
		for _, child := range o.Objects {
			visit(child, f)
		}
	case *container.Scroll:
		visit(o.Content, f)
	}
}

func wantText(t *testing.T, w *Window, wants ...string) {
	t.Helper()
	got := strings.Join(texts(w.window.Content()), "\n")
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("the window does not say %q but:\n%s", want, got)
		}
	}
}

func writePNG(t *testing.T, path string, width, height int, c color.Color) {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		m.Set(i%width, i/width, c)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
}

// zorbit is a finished run with two rows of two pictures.
func zorbit(t *testing.T) engine.Run {
	dir := t.TempDir()
	run := engine.Run{
		Dir: dir, Done: true, Step: 300, Columns: []string{"a photo of zorbit", "a red apple"}, Export: filepath.Join(dir, "zorbit.safetensors"),
		Job:    engine.Job{Method: "lora", Model: "builtin", Word: "zorbit", Class: "monster toy", Steps: 300, Out: "/out/my toy"},
		Losses: []engine.StepLoss{{Step: 300, Loss: 0.125}},
	}
	for _, step := range []int{0, 300} {
		row := engine.GridRow{Step: step}
		for i := range 2 {
			path := filepath.Join(dir, fmt.Sprintf("%d-%d.png", step, i))
			writePNG(t, path, 128, 128, color.RGBA{uint8(step), uint8(100 * i), 40, 255})
			row.Pictures = append(row.Pictures, path)
		}
		run.Rows = append(run.Rows, row)
	}
	return run
}

func TestEmptyWindowSaysWhatToDo(t *testing.T) {
	w, _ := newTestWindow(t, &fakeEngine{})
	wantText(t, w, "No project is open", "open the folder")
}

func TestOpenShowsTheGrid(t *testing.T) {
	run := zorbit(t)
	w, runPosted := newTestWindow(t, &fakeEngine{runs: map[string]engine.Run{"p": run}})
	w.Open("p")
	runPosted()
	wantText(t, w, "my toy", `"zorbit" monster toy`, "lora on builtin", "step 300 of 300", "loss 0.1250", "zorbit.safetensors",
		"a photo of zorbit", "a red apple", "before", "after\n300 steps")
	if w.window.Title() != "Easel: my toy" {
		t.Errorf("title %q", w.window.Title())
	}
	shown := images(w.window.Content())
	if len(shown) != 4 {
		t.Fatalf("%d pictures, want 4", len(shown))
	}
	// Rows are steps and columns are prompts.
	for i, want := range []color.RGBA{{0, 0, 40, 255}, {0, 100, 40, 255}, {44, 0, 40, 255}, {44, 100, 40, 255}} {
		if got := shown[i].At(5, 5); got != want {
			t.Errorf("picture %d is %v, want %v", i, got, want)
		}
	}
	if drawn := w.window.Canvas().Capture(); !holds(drawn, color.NRGBA{44, 100, 40, 255}) {
		t.Error("the last picture is not drawn")
	}
}

// holds tells whether a pixel of m has the colour c.
func holds(m image.Image, c color.Color) bool {
	r, g, b, _ := c.RGBA()
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			if r2, g2, b2, _ := m.At(x, y).RGBA(); r2 == r && g2 == g && b2 == b {
				return true
			}
		}
	}
	return false
}

func TestOpenErrors(t *testing.T) {
	run := zorbit(t)
	if err := os.Remove(run.Rows[0].Pictures[0]); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(run.Rows[0].Pictures[1], []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	new := engine.Run{Dir: "new", Job: engine.Job{Steps: 10}}
	w, runPosted := newTestWindow(t, &fakeEngine{runs: map[string]engine.Run{"torn": run, "new": new}})
	w.Open("none")
	runPosted()
	wantText(t, w, "could not be opened", "open project none: no Easel project is here")
	w.Open("torn")
	runPosted()
	wantText(t, w, "0-0.png is missing", "0-1.png is no PNG picture")
	if n := len(images(w.window.Content())); n != 2 {
		t.Errorf("%d pictures, want the 2 that are left", n)
	}
	w.Open("new")
	runPosted()
	wantText(t, w, "No pictures yet")
}

func TestTheProjectOpenedLastIsShown(t *testing.T) {
	slow, fast := zorbit(t), zorbit(t)
	slow.Job.Out, fast.Job.Out = "slow", "fast"
	gate := make(chan struct{})
	w, runPosted := newTestWindow(t, &fakeEngine{
		runs: map[string]engine.Run{"slow": slow, "fast": fast}, wait: map[string]chan struct{}{"slow": gate},
	})
	w.Open("slow")
	w.Open("fast")
	runPosted()
	close(gate)
	runPosted()
	if w.window.Title() != "Easel: fast" {
		t.Errorf("title %q", w.window.Title())
	}
}

func TestClosingTheWindowEndsReading(t *testing.T) {
	read := make(chan error, 1)
	w, runPosted := newTestWindow(t, contextEngine{done: read})
	w.Open("p")
	w.window.Close()
	if err := <-read; !errors.Is(err, context.Canceled) {
		t.Errorf("reading ended with %v", err)
	}
	runPosted()
}

// contextEngine reads until it is told to stop.
type contextEngine struct {
	engine.Engine
	done chan error
}

func (e contextEngine) OpenRun(ctx context.Context, _ string) (engine.Run, error) {
	<-ctx.Done()
	e.done <- ctx.Err()
	return engine.Run{}, ctx.Err()
}

func TestThumbnailSizes(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ width, height, wantWidth, wantHeight int }{
		{128, 128, 384, 384}, // whole factor
		{100, 60, 300, 180},
		{384, 200, 384, 200},
		{512, 512, 384, 384},
		{768, 2, 384, 1},
		{1, 1000, 1, 384},
	} {
		path := filepath.Join(dir, "p.png")
		writePNG(t, path, c.width, c.height, color.White)
		got, err := readThumbnail(path)
		if err != nil {
			t.Fatal(err)
		}
		if size := got.Bounds().Size(); size != image.Pt(c.wantWidth, c.wantHeight) {
			t.Errorf("%d by %d becomes %v, want %d by %d", c.width, c.height, size, c.wantWidth, c.wantHeight)
		}
	}
}

func TestThumbnailOfAHugePictureIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "huge.png")
	writePNG(t, path, 1, 1, color.White)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint32(data[16:], 1<<20) // width and height in the header, then its checksum
	binary.BigEndian.PutUint32(data[20:], 1<<20)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readThumbnail(path); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("error %v", err)
	}
}
