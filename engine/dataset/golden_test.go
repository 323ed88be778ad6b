package dataset_test

import (
	"errors"
	"image"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/disintegration/imaging"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/internal/golden"
)

// expected is images/expected.json of the golden data, made with Pillow.
type expected struct {
	Files map[string]struct {
		Error            dataset.Reason
		Width, Height    int
		Orientation      int
		Alpha            bool
		Tolerance        float64
		Colour           *[3]float64
		Quadrants        *[4][3]float64
		QuadrantsOnWhite *[4][3]float64 `json:"quadrants_on_white"`
	}
	Resize map[string]struct {
		Source   string
		Crop     []int
		Size     []int
		Resized  []int
		ThenCrop []int `json:"then_crop"`
	}
}

func decodeFile(t *testing.T, path string) (*image.NRGBA, dataset.Meta, error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return dataset.Decode(f, path)
}

func TestGoldenPictures(t *testing.T) {
	var want expected
	golden.JSON(t, "images/expected.json", &want)
	if len(want.Files) == 0 {
		t.Fatal("expected.json lists no files")
	}
	for name, w := range want.Files {
		t.Run(name, func(t *testing.T) {
			img, meta, err := decodeFile(t, golden.Path(t, "images", name))
			if w.Error != "" {
				checkReason(t, err, w.Error)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if img.Rect != image.Rect(0, 0, w.Width, w.Height) || meta.Width != w.Width || meta.Height != w.Height {
				t.Fatalf("size %v, meta %+v, want %d x %d", img.Rect, meta, w.Width, w.Height)
			}
			if meta.Alpha != w.Alpha {
				t.Errorf("alpha %v, want %v", meta.Alpha, w.Alpha)
			}
			if w.Orientation != 0 && meta.Orientation != w.Orientation {
				t.Errorf("orientation %d, want %d", meta.Orientation, w.Orientation)
			}
			if w.Colour != nil {
				checkColours(t, "only pixel", [][3]float64{mean(img, img.Rect)}, [][3]float64{*w.Colour}, w.Tolerance)
			}
			if w.Quadrants != nil {
				checkColours(t, "quarters", quadrants(img), w.Quadrants[:], w.Tolerance)
			}
			if w.QuadrantsOnWhite != nil {
				checkColours(t, "quarters on white", quadrants(dataset.OnWhite(img)), w.QuadrantsOnWhite[:], w.Tolerance)
			}
		})
	}
}

func checkReason(t *testing.T, err error, want dataset.Reason) {
	t.Helper()
	var e *engine.Error
	var reason dataset.Reason
	if !errors.As(err, &e) || !errors.As(err, &reason) {
		t.Fatalf("got %v, want an *engine.Error with a Reason", err)
	}
	if reason != want || e.Path == "" || e.Kind == engine.Internal {
		t.Errorf("got %q with kind %v (%v), want %q", reason, e.Kind, err, want)
	}
}

func checkColours(t *testing.T, what string, got, want [][3]float64, tolerance float64) {
	t.Helper()
	for i := range want {
		for c := range want[i] {
			if math.Abs(got[i][c]-want[i][c]) > tolerance {
				t.Errorf("%s: got %.1f, want %.1f within %v", what, got, want, tolerance)
				return
			}
		}
	}
}

func quadrants(img *image.NRGBA) [][3]float64 {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	var out [][3]float64
	for _, y := range []int{0, h - h/2} {
		for _, x := range []int{0, w - w/2} {
			out = append(out, mean(img, image.Rect(x, y, x+w/2, y+h/2)))
		}
	}
	return out
}

// mean is the mean colour with alpha ignored.
func mean(img *image.NRGBA, r image.Rectangle) (out [3]float64) {
	n := float64(r.Dx() * r.Dy())
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := img.NRGBAAt(x, y)
			out[0] += float64(c.R) / n
			out[1] += float64(c.G) / n
			out[2] += float64(c.B) / n
		}
	}
	return out
}

// TestGoldenResize compares with Pillow's Lanczos; expected.json allows a difference of 2.
func TestGoldenResize(t *testing.T) {
	var file expected
	golden.JSON(t, "images/expected.json", &file)
	if len(file.Resize) == 0 {
		t.Fatal("expected.json lists no references")
	}
	for name, c := range file.Resize {
		want, _, err := decodeFile(t, golden.Path(t, "images", name))
		if err != nil {
			t.Fatal(err)
		}
		source, _, err := decodeFile(t, golden.Path(t, "images", c.Source))
		if err != nil {
			t.Fatal(err)
		}
		if c.Crop != nil {
			source = imaging.Crop(source, rect(c.Crop))
		}
		size := want.Rect.Max
		if c.Resized != nil {
			cover := dataset.Cover(source.Rect.Dx(), source.Rect.Dy(), size)
			if cover != image.Pt(c.Resized[0], c.Resized[1]) {
				t.Errorf("%s: scaled to %v, want %v", name, cover, c.Resized)
			}
		}
		got := dataset.Fit(source, size)
		if got.Rect != want.Rect {
			t.Fatalf("%s: got %v, want %v", name, got.Rect, want.Rect)
		}
		worst := 0
		for i := range want.Pix {
			worst = max(worst, int(got.Pix[i])-int(want.Pix[i]), int(want.Pix[i])-int(got.Pix[i]))
		}
		if worst > 2 {
			t.Errorf("%s: largest difference %d", name, worst)
		}
	}
}

// rect makes a rectangle of left, top, width, height.
func rect(v []int) image.Rectangle { return image.Rect(v[0], v[1], v[0]+v[2], v[1]+v[3]) }

// TestCutPictures cuts good files short: whatever is missing, it is not taken for a whole picture, and only what is
// too short to tell may be called no picture.
func TestCutPictures(t *testing.T) {
	for _, name := range []string{"rgb.png", "exif_6.jpg", "progressive.jpg", "palette.gif", "rgb.bmp", "raw.tiff", "lzw.tiff",
		"deflate.tiff", "lossy.webp", "lossless_alpha.webp"} {
		data, err := os.ReadFile(golden.Path(t, "images", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []float64{0.05, 0.1, 0.3, 0.5, 0.7, 0.9} {
			n := int(part * float64(len(data)))
			path := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(path, data[:n], 0o600); err != nil {
				t.Fatal(err)
			}
			_, _, err := decodeFile(t, path)
			if got := dataset.ReasonOf(err); got != dataset.Truncated && !(n < 16 && got == dataset.NotAPicture) {
				t.Errorf("%s, %d of %d bytes: got %q, %v", name, n, len(data), got, err)
			}
		}
	}
}
