package caption

import (
	"context"
	"encoding/json"
	"image"
	"image/color"
	"os"
	"testing"

	"easel/engine/dataset"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/model/tagger"

	"github.com/disintegration/imaging"
	"github.com/google/go-cmp/cmp"
)

// goldenTagger is the tiny tagger.
func goldenTagger(t *testing.T) *tagger.Model {
	t.Helper()
	files, err := format.OpenCaptioner(os.DirFS(golden.Path(t, "tagger")))
	if err != nil {
		t.Fatal(err)
	}
	m, err := tagger.From(files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func goldenPicture(t *testing.T) *image.NRGBA {
	t.Helper()
	img, _, err := dataset.Open(golden.Path(t, "tagger", "picture_40x27.png"))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestTaggerGolden: the pixels that the tagger's own program sees of a picture with transparency, and the tags that it
// finds; and those of a second picture, by its logits.
func TestTaggerGolden(t *testing.T) {
	f := golden.Open(t, "tagger/tagger.safetensors")
	var want []string
	if err := json.Unmarshal([]byte(f.Meta()["tags"]), &want); err != nil || len(want) != 2 {
		t.Fatal(want, err)
	}
	m, img := goldenTagger(t), goldenPicture(t)
	side := m.Vision.ImageSize
	pixels, golden := SquarePixels(img, side, m.Mean, m.Std).F32(), f.Tensor("in/pixels").F32()
	for i, v := range pixels {
		pixel, c := i/3, i%3
		if d := v - golden[c*side*side+pixel]; d > 0.02 || d < -0.02 { // two steps of 8 bits are 0.016
			t.Fatalf("channel %d at %d, %d is %g, want %g", c, pixel%side, pixel/side, v, golden[c*side*side+pixel])
		}
	}
	logits := f.Tensor("logits").F32()
	if got := choose(m.Tags, logits[len(logits)/2:]).Text; got != want[1] {
		t.Errorf("%s, want %s", got, want[1])
	}
	for name, backend := range backends(t) {
		for _, dt := range []kernel.DType{kernel.F32, kernel.BF16} {
			tagger, err := NewTagger(m, backend, dt)
			if err != nil {
				t.Fatal(err)
			}
			defer tagger.Close()
			s, err := tagger.Describe(context.Background(), img)
			if err != nil {
				t.Fatal(err)
			}
			if dt == kernel.BF16 { // tags that are almost as likely may change places
				if diff := cmp.Diff(len(splitTags(want[0])), len(s.Logs)); diff != "" {
					t.Errorf("%s in bf16: %q", name, s.Text)
				}
				continue
			}
			if s.Text != want[0] || len(s.Logs) != len(splitTags(want[0])) || s.Confidence() < 0.35 || s.Confidence() > 1 {
				t.Errorf("%s: %q with %g, want %q", name, s.Text, s.Confidence(), want[0])
			}
		}
	}
}

func TestChoose(t *testing.T) {
	tags := []tagger.Tag{{Text: "general", Kind: tagger.Rating}, {Text: "cat", Kind: tagger.General}, {Text: "saber", Kind: tagger.Character},
		{Text: "hat", Kind: tagger.General}, {Text: "zelda", Kind: tagger.Character}, {Text: "a show", Kind: 3}}
	for _, c := range []struct {
		logits []float32
		want   string
	}{
		{[]float32{9, -0.6, 1.7, 1, 1.8, 9}, "zelda, hat, cat"}, // 0.354, 0.846, 0.731, 0.858
		{[]float32{9, -0.63, 9, -0.63, 1.73, 9}, "saber"},       // 0.347, 1, 0.347, 0.849
		{[]float32{9, -9, -9, -9, -9, 9}, ""},
	} {
		if got := choose(tags, c.logits); got.Text != c.want {
			t.Errorf("%v: %q, want %q", c.logits, got.Text, c.want)
		}
	}
}

// TestSquareOfALongPicture: it does not take the memory of its square.
func TestSquareOfALongPicture(t *testing.T) {
	img := imaging.New(60_000, 6, color.NRGBA{255, 0, 0, 255})
	pixels := SquarePixels(img, 32, [3]float32{}, [3]float32{1, 1, 1}).F32()
	middle, corner := pixels[3*(16*32+16):], pixels[:3]
	if diff := cmp.Diff([]float32{1, 1, 1}, corner); diff != "" {
		t.Error(diff)
	}
	if middle[0] > middle[2] || middle[2] != 1 { // the channels are blue, green, red
		t.Errorf("the middle is %v", middle[:3])
	}
}
