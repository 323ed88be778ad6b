package dataset_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/disintegration/imaging"
	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/dataset"
)

// sample is a picture of the sample subjects.
func sample(t *testing.T, name string) *image.NRGBA {
	t.Helper()
	img, err := imaging.Open(filepath.Join("..", "..", "samples", "zorbit", name))
	if err != nil {
		t.Skipf("no sample picture: %v", err)
	}
	return imaging.Clone(img)
}

func save(t *testing.T, path string, img image.Image) {
	t.Helper()
	if err := imaging.Save(img, path); err != nil {
		t.Fatal(err)
	}
}

// surveyed looks at dir for 512 px training and returns what was told last of each file.
func surveyed(t *testing.T, dir, cache string) map[string]engine.PictureInfo {
	t.Helper()
	infos := map[string]engine.PictureInfo{}
	opt := dataset.SurveyOptions{Buckets: []image.Point{{X: 512, Y: 512}, {X: 384, Y: 640}}, Cache: cache}
	if err := dataset.Survey(context.Background(), dir, opt, func(info engine.PictureInfo) { infos[info.Name] = info }); err != nil {
		t.Fatal(err)
	}
	return infos
}

func kinds(info engine.PictureInfo) []engine.IssueKind {
	var all []engine.IssueKind
	for _, i := range info.Issues {
		all = append(all, i.Kind)
	}
	return all
}

func TestSurveyTellsWhatWantsAttention(t *testing.T) {
	dir := t.TempDir()
	front, side := sample(t, "zorbit_01.png"), sample(t, "zorbit_06.png")
	save(t, filepath.Join(dir, "a good.png"), front)
	save(t, filepath.Join(dir, "b blurred.png"), imaging.Blur(side, 3))
	save(t, filepath.Join(dir, "c twin.jpg"), imaging.Resize(front, 600, 0, imaging.Lanczos))
	save(t, filepath.Join(dir, "d small.png"), imaging.Resize(sample(t, "zorbit_04.png"), 200, 0, imaging.Lanczos))
	save(t, filepath.Join(dir, "e torn.jpg"), sample(t, "zorbit_05.png"))
	if err := os.Truncate(filepath.Join(dir, "e torn.jpg"), 6000); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"f.png": "no picture", "a good.txt": "a toy\n", "lonely.txt": "?"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	infos := surveyed(t, dir, t.TempDir())
	for name, want := range map[string][]engine.IssueKind{
		"a good.png": nil, "b blurred.png": {engine.IssueBlurred}, "c twin.jpg": {engine.IssueDuplicate}, "d small.png": {engine.IssueSmall},
		"e torn.jpg": {engine.IssueUnusable}, "f.png": {engine.IssueUnusable}, "lonely.txt": {engine.IssueUnusable},
	} {
		info := infos[name]
		if got := kinds(info); !slices.Equal(got, want) {
			t.Errorf("%s: issues %v, want %v (%v)", name, got, want, info.Issues)
		}
		if info.Pending || info.Usable == slices.Contains(want, engine.IssueUnusable) {
			t.Errorf("%s: %+v", name, info)
		}
	}
	if good := infos["a good.png"]; good.Caption != "a toy" || good.Width != 512 || good.BucketHeight != 512 || good.Thumbnail == "" {
		t.Errorf("%+v", good)
	}
}

func TestSurveyShowsPicturesUpright(t *testing.T) {
	sideways, err := filepath.Glob(filepath.Join("..", "..", "testdata", "golden", "*orient*6*"))
	if err != nil || len(sideways) == 0 {
		t.Skip("no golden picture with an EXIF orientation")
	}
	dir := t.TempDir()
	data, err := os.ReadFile(sideways[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.jpg"), data, 0o666); err != nil {
		t.Fatal(err)
	}
	if info := surveyed(t, dir, t.TempDir())["a.jpg"]; !slices.Contains(kinds(info), engine.IssueTurned) {
		t.Errorf("%+v", info)
	}
}

// TestSurveyRemembers looks at pictures a second time after their bytes, but not their size and time, have been spoilt.
func TestSurveyRemembers(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "a.png")
	save(t, path, sample(t, "zorbit_01.png"))
	first := surveyed(t, dir, cache)["a.png"]
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, info.Size()), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if second := surveyed(t, dir, cache)["a.png"]; second.Thumbnail != first.Thumbnail || !second.Usable {
		t.Errorf("looked again: %+v", second)
	}
}

func TestSurveyEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	save(t, filepath.Join(dir, "a.png"), sample(t, "zorbit_01.png"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := dataset.Survey(ctx, dir, dataset.SurveyOptions{Buckets: []image.Point{{X: 64, Y: 64}}}, func(engine.PictureInfo) {})
	if engine.KindOf(err) != engine.Cancelled || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestLookAtSeesWhatDecodeSees compares the thumbnail's mean colour with the whole picture's.
func TestLookAtSeesWhatDecodeSees(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.jpg")
	save(t, path, imaging.Resize(sample(t, "zorbit_02.png"), 2000, 1600, imaging.Lanczos))
	look, thumbnail, err := dataset.LookAt(path)
	if err != nil {
		t.Fatal(err)
	}
	if look.Meta.Width != 2000 || look.Meta.Height != 1600 || thumbnail.Rect.Dx() != engine.ThumbnailSide || thumbnail.Rect.Dy() != 410 {
		t.Errorf("picture %d x %d, thumbnail %v", look.Meta.Width, look.Meta.Height, thumbnail.Rect)
	}
	whole, err := imaging.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want, got := imaging.Resize(whole, 4, 4, imaging.Box), imaging.Resize(thumbnail, 4, 4, imaging.Box)
	for i := range want.Pix {
		if d := int(want.Pix[i]) - int(got.Pix[i]); d < -4 || d > 4 {
			t.Fatalf("value %d is %d, want %d", i, got.Pix[i], want.Pix[i])
		}
	}
}

// TestLookAtTellsWhatDecodeTells: also whether pixels are transparent, of kinds of picture that say so in ways of their own.
func TestLookAtTellsWhatDecodeTells(t *testing.T) {
	dir := t.TempDir()
	clear := imaging.New(40, 30, image.White.C)
	clear.SetNRGBA(39, 29, color.NRGBA{A: 254})
	palette := color.Palette{color.Black, color.White, color.Transparent}
	part := gif.GIF{Image: []*image.Paletted{image.NewPaletted(image.Rect(0, 0, 20, 30), palette[:2])}, Delay: []int{0}, Config: image.Config{Width: 40, Height: 30}}
	for name, encode := range map[string]func(io.Writer) error{
		"opaque.png":      func(w io.Writer) error { return png.Encode(w, imaging.New(40, 30, image.White.C)) },
		"transparent.png": func(w io.Writer) error { return png.Encode(w, clear) },
		"unused.png":      func(w io.Writer) error { return png.Encode(w, image.NewPaletted(image.Rect(0, 0, 40, 30), palette)) },
		"part.gif":        func(w io.Writer) error { return gif.EncodeAll(w, &part) },
		"sideways.jpg":    func(w io.Writer) error { _, err := w.Write(jpegWith(exifOf(binary.BigEndian, "MM", 6))); return err },
	} {
		var data bytes.Buffer
		if err := encode(&data); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		look, _, err := dataset.LookAt(path)
		if err != nil {
			t.Fatal(err)
		}
		_, want, err := dataset.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, look.Meta); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestLoadTakesNoCopies: a photograph is in memory once while it is proved, as its file has it, which is 1.5 bytes a pixel.
func TestLoadTakesNoCopies(t *testing.T) {
	if testing.Short() {
		t.Skip("is about memory, which the race detector takes more of")
	}
	dir := t.TempDir()
	m := image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420)
	var data bytes.Buffer
	if err := jpeg.Encode(&data, m, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.jpg"), data.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	var err error
	taken := allocated(func() {
		_, err = dataset.Load(t.Context(), dir, dataset.Options{Buckets: dataset.Buckets{Resolution: 512, Min: 256, Max: 1024, Step: 64}})
	})
	if err != nil || taken > 24<<20 {
		t.Errorf("%d MB taken, %v", taken>>20, err)
	}
}

// TestSurveyOfLargePictures: they take turns, and a damaged one does not keep the others waiting.
func TestSurveyOfLargePictures(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes 30 million pixels")
	}
	dir := t.TempDir()
	var data bytes.Buffer
	if err := png.Encode(&data, image.NewNRGBA(image.Rect(0, 0, 3200, 3200))); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"a.png": data.Bytes(), "b torn.png": data.Bytes()[:data.Len()/2], "c.png": data.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	infos := surveyed(t, dir, t.TempDir())
	if !infos["a.png"].Usable || infos["b torn.png"].Usable || !infos["c.png"].Usable || infos["c.png"].Width != 3200 {
		t.Errorf("%+v", infos)
	}
}

// TestLoadTrustsASurvey: the window asks again after each edit, and decoding hundreds of photographs takes minutes.
func TestLoadTrustsASurvey(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "a.jpg")
	save(t, path, sample(t, "zorbit_01.png"))
	surveyed(t, dir, cache)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, make([]byte, before.Size()), 0o644); err != nil { // so that decoding it would fail
		t.Fatal(err)
	}
	load := func() (*dataset.Set, error) {
		return dataset.Load(t.Context(), dir, dataset.Options{Buckets: dataset.Buckets{Resolution: 512, Min: 256, Max: 1024, Step: 64}, Cache: cache})
	}
	if err := os.Chtimes(path, before.ModTime(), before.ModTime()); err != nil {
		t.Fatal(err)
	}
	if set, err := load(); err != nil || len(set.Items) != 1 || set.Items[0].Source != image.Pt(512, 512) {
		t.Errorf("a picture that was looked at: %+v, %v", set, err)
	}
	later := before.ModTime().Add(1e9)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
	if set, err := load(); err == nil || len(set.Skipped) != 1 {
		t.Errorf("a picture that has changed since: %+v, %v", set, err)
	}
}

// TestLoadRefusesWhatASurveyCouldNotRead: neither a JPEG that was torn when it was looked at nor one torn since counts as good.
func TestLoadRefusesWhatASurveyCouldNotRead(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	for _, name := range []string{"a good.jpg", "b torn.jpg", "c torn later.jpg"} {
		save(t, filepath.Join(dir, name), sample(t, "zorbit_01.png"))
	}
	tear := func(name string) {
		if err := os.Truncate(filepath.Join(dir, name), 6000); err != nil {
			t.Fatal(err)
		}
	}
	tear("b torn.jpg")
	surveyed(t, dir, cache)
	tear("c torn later.jpg")
	for range 2 {
		set, err := dataset.Load(t.Context(), dir, dataset.Options{Buckets: dataset.Buckets{Resolution: 512, Min: 256, Max: 1024, Step: 64}, Cache: cache})
		if err != nil || len(set.Items) != 1 || len(set.Skipped) != 2 {
			t.Fatalf("%+v, %v", set, err)
		}
		for _, s := range set.Skipped {
			if s.Reason != dataset.Truncated {
				t.Errorf("%s: %v", s.Path, s.Err)
			}
		}
		surveyed(t, dir, cache)
	}
}
