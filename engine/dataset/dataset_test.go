package dataset_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/dataset"
)

// write puts a file into a folder.
func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// pngOf is a picture of one colour.
func pngOf(t *testing.T, width, height int, c color.NRGBA) string {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		img.SetNRGBA(i%width, i/width, c)
	}
	var b strings.Builder
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var small = dataset.Options{
	Buckets: dataset.Buckets{Resolution: 128, Min: 64, Max: 256, Step: 16},
	Word:    "zwx", Class: "cat",
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	grey := color.NRGBA{128, 128, 128, 255}
	square, wide := pngOf(t, 40, 40, grey), pngOf(t, 300, 100, color.NRGBA{R: 128, A: 100})
	write(t, dir, "cat10.png", square)
	write(t, dir, "Cat2.png", wide)
	write(t, dir, "Cat2.txt", "\ufeff  a zwx cat,\r\non grass \n")
	write(t, dir, "cat10.caption", "second choice")
	write(t, dir, "cat1.jpg", square) // a PNG by content
	write(t, dir, "cat1.txt", " \n")
	write(t, dir, "cat3.png", square)
	write(t, dir, "cat3.TXT", "\xff\xfeh\x00i\x00") // UTF-16
	write(t, dir, "cat4.png", square)
	write(t, dir, "cat4.txt", "bad \xff\xc0")
	write(t, dir, "cat5.png", square)
	write(t, dir, "cat5.txt", strings.Repeat("long ", 20_000))
	write(t, dir, "cat6.png", square)
	write(t, dir, "cat6.txt", "first choice")
	write(t, dir, "cat6.caption", "second choice")
	write(t, dir, "broken.png", square[:len(square)/2])
	write(t, dir, "broken.txt", "a caption")
	write(t, dir, "empty.png", "")
	write(t, dir, "notes.md", "# notes")
	write(t, dir, "lonely.txt", "no picture")
	if err := os.Mkdir(filepath.Join(dir, "more"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir, filepath.Join("more", "cat.png"), square)

	set, err := dataset.Load(context.Background(), dir, small)
	if err != nil {
		t.Fatal(err)
	}
	const fallback = "a photo of a zwx cat"
	item := func(name, caption string) dataset.Item {
		return dataset.Item{Path: filepath.Join(dir, name), Caption: caption, Width: 128, Height: 128, Source: image.Pt(40, 40)}
	}
	cat2 := dataset.Item{Path: filepath.Join(dir, "Cat2.png"), Caption: "a zwx cat,\r\non grass", Width: 208, Height: 64, Source: image.Pt(300, 100), Alpha: true}
	wantItems := []dataset.Item{item("cat1.jpg", fallback), cat2, item("cat3.png", "hi"), item("cat4.png", fallback), item("cat5.png", fallback),
		item("cat6.png", "first choice"), item("cat10.png", "second choice")}
	if diff := cmp.Diff(wantItems, set.Items); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}

	type skipped struct {
		Name   string
		Reason dataset.Reason
	}
	want := []skipped{
		{"broken.png", dataset.Truncated}, {"cat4.txt", dataset.NotText}, {"cat5.txt", dataset.NotText},
		{"cat6.caption", dataset.Unused}, {"empty.png", dataset.Empty}, {"lonely.txt", dataset.Unused}, {"more", dataset.Subfolder}, {"notes.md", dataset.NotAPicture},
	}
	var got []skipped
	for _, s := range set.Skipped {
		got = append(got, skipped{filepath.Base(s.Path), s.Reason})
		if s.Err == nil || s.Err.Error() == "" {
			t.Errorf("%s: no words", s.Path)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
}

func TestLoadFails(t *testing.T) {
	empty, useless := t.TempDir(), t.TempDir()
	write(t, useless, "text.png", "not a picture")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	noBuckets := small
	noBuckets.Buckets.Step = 0
	for _, c := range []struct {
		name string
		ctx  context.Context
		dir  string
		opt  dataset.Options
		want engine.Kind
	}{
		{"empty folder", context.Background(), empty, small, engine.BadInput},
		{"nothing usable", context.Background(), useless, small, engine.BadInput},
		{"no folder", context.Background(), filepath.Join(empty, "none"), small, engine.NotFound},
		{"a file", context.Background(), filepath.Join(useless, "text.png"), small, engine.NotFound},
		{"cancelled", ended, useless, small, engine.Cancelled},
		{"no buckets", context.Background(), useless, noBuckets, engine.BadInput},
	} {
		_, err := dataset.Load(c.ctx, c.dir, c.opt)
		if engine.KindOf(err) != c.want {
			t.Errorf("%s: got %v", c.name, err)
		}
		if err != nil && c.opt == small && !strings.Contains(err.Error(), c.dir) {
			t.Errorf("%s: %q does not name the folder", c.name, err)
		}
		if c.name == "cancelled" && !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
	set, _ := dataset.Load(context.Background(), useless, small)
	if set == nil || len(set.Skipped) != 1 {
		t.Errorf("the error does not come with what was skipped: %+v", set)
	}
}

func TestTemplate(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.png", pngOf(t, 8, 8, color.NRGBA{A: 255}))
	for _, c := range [][3]string{{"zwx", "cat", "a photo of a zwx cat"}, {" zwx ", "", "a photo of a zwx"}, {"", "cat", "a photo of a cat"}, {"", "", "a photo"}} {
		set, err := dataset.Load(context.Background(), dir, dataset.Options{Buckets: square(64), Word: c[0], Class: c[1]})
		if err != nil {
			t.Fatal(err)
		}
		if got := set.Items[0].Caption; got != c[2] {
			t.Errorf("%q, %q: got %q", c[0], c[1], got)
		}
	}
}

func TestPixels(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.png")
	write(t, dir, "a.png", pngOf(t, 300, 100, color.NRGBA{R: 255, G: 127, A: 255}))
	green := float32(127)
	for _, c := range []struct{ width, height int }{{64, 48}, {48, 64}, {1, 1}} {
		got, err := dataset.Item{Path: path, Width: c.width, Height: c.height}.Pixels()
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != c.width*c.height*3 {
			t.Fatalf("%v: %d values", c, len(got))
		}
		for i, v := range got {
			if want := []float32{1, green/127.5 - 1, -1}[i%3]; v != want {
				t.Fatalf("%v: value %d is %v, want %v", c, i, v, want)
			}
		}
	}
}

// Rows come before columns, the middle is kept and transparent pixels are white.
func TestPixelsLayout(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 4, 2)) // columns: cut away, red over blue, green over clear, cut away
	for y := range 2 {
		img.SetNRGBA(0, y, color.NRGBA{R: 9, G: 9, B: 9, A: 255})
		img.SetNRGBA(3, y, color.NRGBA{R: 9, G: 9, B: 9, A: 255})
	}
	img.SetNRGBA(1, 0, color.NRGBA{R: 255, A: 255})
	img.SetNRGBA(1, 1, color.NRGBA{B: 255, A: 255})
	img.SetNRGBA(2, 0, color.NRGBA{G: 255, A: 255})
	var b strings.Builder
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "a.png", b.String())
	got, err := dataset.Item{Path: filepath.Join(dir, "a.png"), Width: 2, Height: 2}.Pixels()
	if err != nil {
		t.Fatal(err)
	}
	want := []float32{
		1, -1, -1 /**/, -1, 1, -1,
		-1, -1, 1 /**/, 1, 1, 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPixelsErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "text.png", "not a picture")
	for _, c := range []struct {
		item dataset.Item
		want dataset.Reason
	}{
		{dataset.Item{Path: filepath.Join(dir, "gone.png"), Width: 8, Height: 8}, dataset.Unreadable},
		{dataset.Item{Path: filepath.Join(dir, "text.png"), Width: 8, Height: 8}, dataset.NotAPicture},
		{dataset.Item{Path: filepath.Join(dir, "text.png")}, ""},
	} {
		got, err := c.item.Pixels()
		if err == nil || got != nil || dataset.ReasonOf(err) != c.want {
			t.Errorf("%+v: got %v", c.item, err)
		}
	}
}

// A strip would cover the bucket at 8000 times its length; it must be cut before that.
func TestFitOfAStrip(t *testing.T) {
	for _, size := range []image.Point{{X: 8000, Y: 1}, {X: 1, Y: 8000}} {
		img := image.NewNRGBA(image.Rectangle{Max: size})
		for i := range img.Pix {
			img.Pix[i] = 200
		}
		got := dataset.Fit(img, image.Pt(64, 128))
		if got.Rect != image.Rect(0, 0, 64, 128) || got.NRGBAAt(32, 64) != (color.NRGBA{200, 200, 200, 200}) {
			t.Errorf("%v: got %v, %v", size, got.Rect, got.NRGBAAt(32, 64))
		}
	}
}
