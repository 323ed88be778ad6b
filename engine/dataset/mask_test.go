package dataset_test

import (
	"context"
	"image"
	"image/color"
	"image/png"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/dataset"

	"github.com/google/go-cmp/cmp"
)

// columns is a PNG of some rows whose columns have the given colours.
func columns(t *testing.T, rows int, colours ...color.NRGBA) string {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, len(colours), rows))
	for i := range len(colours) * rows {
		img.SetNRGBA(i%len(colours), i/len(colours), colours[i%len(colours)])
	}
	var b strings.Builder
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func grey(v uint8) color.NRGBA { return color.NRGBA{v, v, v, 255} }

// TestViews cuts a picture that is twice as wide as its bucket.
func TestViews(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.png", columns(t, 2, grey(0), grey(51), grey(102), grey(153)))
	item := dataset.Item{Path: filepath.Join(dir, "a.png"), Source: image.Pt(4, 2), Width: 2, Height: 2}
	for _, c := range []struct {
		view dataset.View
		want [2]float32 // of 255, by column
	}{
		{dataset.View{}, [2]float32{51, 102}},
		{dataset.View{Flip: true}, [2]float32{102, 51}},
		{dataset.View{Shift: -1}, [2]float32{0, 51}},
		{dataset.View{Shift: 1}, [2]float32{102, 153}},
		{dataset.View{Flip: true, Shift: 1}, [2]float32{153, 102}},
	} {
		got, err := item.Seen(c.view)
		if err != nil {
			t.Fatal(err)
		}
		a, b := c.want[0]/127.5-1, c.want[1]/127.5-1
		if diff := cmp.Diff([]float32{a, a, a, b, b, b, a, a, a, b, b, b}, got); diff != "" {
			t.Errorf("%+v: %s", c.view, diff)
		}
	}
	square := item
	square.Source = image.Pt(2, 2)
	if !item.Loose() || square.Loose() {
		t.Errorf("loose are %v and %v, want true and false", item.Loose(), square.Loose())
	}
}

// TestMasks: a mask beside the picture counts, else the picture's opacity, and it is cut with the picture.
func TestMasks(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.jpg", columns(t, 2, grey(9), grey(9), grey(9), grey(9)))
	write(t, dir, "a-mask.png", columns(t, 2, grey(255), grey(0), grey(51), grey(0)))
	write(t, dir, "b.png", columns(t, 2, color.NRGBA{9, 9, 9, 102}, grey(9)))
	write(t, dir, "c.png", columns(t, 2, grey(9), grey(9)))
	write(t, dir, "d-mask.png", columns(t, 2, grey(9), grey(9))) // a picture: there is no d
	write(t, dir, "e.png", columns(t, 2, grey(9), grey(9), grey(9), grey(9)))
	write(t, dir, "e-mask.png", columns(t, 2, grey(9), grey(9)))
	set, err := dataset.Load(context.Background(), dir, dataset.Options{Buckets: dataset.Buckets{Resolution: 2, Min: 2, Max: 2, Step: 1}})
	if err != nil {
		t.Fatal(err)
	}
	masked := map[string]bool{}
	items := map[string]dataset.Item{}
	for _, it := range set.Items {
		name := filepath.Base(it.Path)
		masked[name], items[name] = it.HasMask(), it
	}
	if diff := cmp.Diff(map[string]bool{"a.jpg": true, "b.png": true, "c.png": false, "d-mask.png": false, "e.png": true}, masked); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct {
		name string
		view dataset.View
		want []float32
	}{
		{"a.jpg", dataset.View{}, []float32{0, 0.2, 0, 0.2}},
		{"a.jpg", dataset.View{Shift: -1}, []float32{1, 0, 1, 0}},
		{"a.jpg", dataset.View{Flip: true}, []float32{0.2, 0, 0.2, 0}},
		{"b.png", dataset.View{}, []float32{0.4, 1, 0.4, 1}},
		{"c.png", dataset.View{}, []float32{1, 1, 1, 1}},
	} {
		got, err := items[c.name].Mask(c.view)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s %+v: %s", c.name, c.view, diff)
		}
	}
	if _, err := items["e.png"].Mask(dataset.View{}); engine.KindOf(err) != engine.BadFile || !strings.Contains(err.Error(), "same shape") {
		t.Errorf("a mask of another shape gives %v", err)
	}
}
