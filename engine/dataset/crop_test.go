package dataset

import (
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"easel/engine"
)

// writeStripes writes a picture of three vertical parts: red, green, blue.
func writeStripes(t *testing.T, path string, width, height int) {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	colors := []color.NRGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}}
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, colors[3*x/width])
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

func TestSavedCropIsTrained(t *testing.T) {
	square := Options{Buckets: Buckets{Resolution: 64, Min: 64, Max: 64, Step: 64}}
	for _, c := range []struct {
		name string
		crop engine.Crop
		want [3]float32 // the pixel in the middle
	}{
		{"left", engine.Crop{X: -1}, [3]float32{1, -1, -1}},
		{"middle", engine.Crop{}, [3]float32{-1, 1, -1}},
		{"right", engine.Crop{X: 1}, [3]float32{-1, -1, 1}},
		{"out of range", engine.Crop{X: 7, Y: -2}, [3]float32{-1, -1, 1}},
	} {
		dir := t.TempDir()
		writeStripes(t, filepath.Join(dir, "a.png"), 192, 64)
		if err := SaveCrop(dir, "a.png", c.crop); err != nil {
			t.Fatal(err)
		}
		set, err := Load(context.Background(), dir, square)
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Skipped) > 0 {
			t.Errorf("%s: skipped %v", c.name, set.Skipped)
		}
		pixels, err := set.Items[0].Pixels()
		if err != nil {
			t.Fatal(err)
		}
		if got := [3]float32(pixels[3*(32*64+32):]); got != c.want {
			t.Errorf("%s: the middle is %v, want %v", c.name, got, c.want)
		}
	}
}

func TestSaveCropKeepsTheOthers(t *testing.T) {
	dir := t.TempDir()
	for name, crop := range map[string]engine.Crop{"a.png": {X: 0.25, Y: 1}, "b.png": {X: 1, Y: 0}} {
		if err := SaveCrop(dir, name, crop); err != nil {
			t.Fatal(err)
		}
	}
	crops, err := readCrops(dir)
	if err != nil || crops["a.png"] != (engine.Crop{X: 0.25, Y: 1}) || crops["c.png"] != (engine.Crop{}) {
		t.Errorf("crops %v, error %v", crops, err)
	}
}

func TestADamagedCropsFileIsNamed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, cropsName), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readCrops(dir); engine.KindOf(err) != engine.BadFile {
		t.Errorf("error %v", err)
	}
}
