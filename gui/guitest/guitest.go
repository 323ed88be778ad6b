// Package guitest helps to test the window's pages without a screen: a queue in place of Fyne's goroutine, and ways to find
// what a user sees.
package guitest

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// Queue stands for Fyne's goroutine: what is posted waits until the test runs it.
type Queue chan func()

// NewQueue makes a Queue that never blocks who posts.
func NewQueue() Queue { return make(Queue, 10000) }

// Post may be called from any goroutine.
func (q Queue) Post(f func()) { q <- f }

// Until runs what is posted until done is true; it fails the test after some seconds.
func (q Queue) Until(t testing.TB, what string, done func() bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for !done() {
		select {
		case f := <-q:
			f()
		case <-time.After(5 * time.Millisecond): // what done looks at may change without a post
		case <-limit:
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// Find lists all objects of a kind below object, also inside widgets, that are not hidden.
func Find[T fyne.CanvasObject](object fyne.CanvasObject) (found []T) {
	Visit(object, func(o fyne.CanvasObject) {
		if o, ok := o.(T); ok {
			found = append(found, o)
		}
	})
	return found
}

// Visit calls f for object and for all below it that are not hidden.
func Visit(object fyne.CanvasObject, f func(fyne.CanvasObject)) {
	if object == nil || !object.Visible() {
		return
	}
	f(object)
	switch o := object.(type) {
	case *fyne.Container:
		for _, child := range o.Objects {
			Visit(child, f)
		}
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(o).Objects() {
			Visit(child, f)
		}
	}
}

// Text is all that one can read below object, a line each.
func Text(object fyne.CanvasObject) string {
	var lines []string
	Visit(object, func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widget.Label:
			lines = append(lines, o.Text)
		case *canvas.Text:
			lines = append(lines, o.Text)
		}
	})
	return strings.Join(lines, "\n")
}

// WantText checks that texts can be read below object.
func WantText(t testing.TB, object fyne.CanvasObject, wants ...string) {
	t.Helper()
	got := Text(object)
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("it does not say %q but:\n%s", want, got)
		}
	}
}

// Button is the one with a text; the test fails where there is none.
func Button(t testing.TB, object fyne.CanvasObject, text string) fyne.Tappable {
	t.Helper()
	var found fyne.Tappable
	Visit(object, func(o fyne.CanvasObject) {
		if b, ok := o.(*widget.Button); ok && b.Text == text && found == nil {
			found = b
		}
		if s, ok := o.(interface{ ButtonText() string }); ok && s.ButtonText() == text && found == nil {
			found = o.(fyne.Tappable)
		}
	})
	if found == nil {
		t.Fatalf("there is no button %q in:\n%s", text, Text(object))
	}
	return found
}

// Tap taps the button with a text.
func Tap(t testing.TB, object fyne.CanvasObject, text string) {
	t.Helper()
	Button(t, object, text).Tapped(&fyne.PointEvent{})
}

// Picture writes a PNG with some structure, and returns its path.
func Picture(t testing.TB, dir, name string, side int, c color.NRGBA) string {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			shade := 0.6 + 0.4*float64(x+y)/float64(2*side)
			if dx, dy := x-side/2, y-side/2; dx*dx+dy*dy < side*side/9 {
				shade = 1
			} else {
				shade *= 0.5
			}
			m.SetNRGBA(x, y, color.NRGBA{uint8(float64(c.R) * shade), uint8(float64(c.G) * shade), uint8(float64(c.B) * shade), 255})
		}
	}
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
	return path
}

// Plain writes a PNG of one colour.
func Plain(t testing.TB, path string, width, height int, c color.Color) {
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

// Capture writes what a window shows as NAME.png into $EASEL_CAPTURE, for people to look at; without that it does nothing.
func Capture(t testing.TB, w fyne.Window, name string) {
	t.Helper()
	dir := os.Getenv("EASEL_CAPTURE")
	if dir == "" {
		return
	}
	f, err := os.Create(filepath.Join(dir, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, w.Canvas().Capture()); err != nil {
		t.Fatal(err)
	}
}
