package dataset_test

import (
	"image"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/dataset"
)

var sd512 = dataset.Buckets{Resolution: 512, Min: 256, Max: 1024, Step: 64}

func sizes(t *testing.T, b dataset.Buckets) []image.Point {
	t.Helper()
	s, err := b.Sizes()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// square is one bucket only.
func square(side int) dataset.Buckets {
	return dataset.Buckets{Resolution: side, Min: side, Max: side, Step: side}
}

// The sizes and counts are sd-scripts', from spec/formats.md §8.3.
func TestSizesAreThoseOfSDScripts(t *testing.T) {
	var want []image.Point
	for _, half := range [][2]int{{256, 832}, {256, 896}, {256, 960}, {256, 1024}, {320, 704}, {320, 768}, {384, 640}, {448, 576}, {512, 512},
		{576, 448}, {640, 384}, {704, 320}, {768, 320}, {832, 256}, {896, 256}, {960, 256}, {1024, 256}} {
		want = append(want, image.Pt(half[0], half[1]))
	}
	if diff := cmp.Diff(want, sizes(t, sd512)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for longest, count := range map[int]int{2048: 41, 1024: 25} {
		if got := sizes(t, dataset.Buckets{Resolution: 1024, Min: 256, Max: longest, Step: 64}); len(got) != count {
			t.Errorf("1024, longest %d: %d buckets, want %d", longest, len(got), count)
		}
	}
}

func TestSizesKeepTheRules(t *testing.T) {
	for _, b := range []dataset.Buckets{{128, 64, 256, 16}, {500, 101, 900, 8}, sd512} {
		for _, s := range sizes(t, b) {
			if s.X%b.Step != 0 || s.Y%b.Step != 0 || s.X*s.Y > b.Resolution*b.Resolution || min(s.X, s.Y) <= b.Min-b.Step || max(s.X, s.Y) >= b.Max+b.Step {
				t.Errorf("%+v: bucket %v", b, s)
			}
		}
	}
	if diff := cmp.Diff([]image.Point{{X: 500, Y: 500}}, sizes(t, square(500))); diff != "" {
		t.Errorf("square only (-want +got):\n%s", diff)
	}
}

func TestSizesRefuseNonsense(t *testing.T) {
	for _, b := range []dataset.Buckets{{}, {512, 256, 1024, 0}, {512, 0, 1024, 64}, {512, 256, 128, 64}, {32, 16, 64, 64}, {1 << 40, 1, 2, 1}, {512, 1, 1 << 40, 1}} {
		if got, err := b.Sizes(); engine.KindOf(err) != engine.BadInput || got != nil {
			t.Errorf("%+v: got %v, %v", b, got, err)
		}
	}
}

// The vectors are those of spec/formats.md §8.3.
func TestNearestAndCover(t *testing.T) {
	all := sizes(t, sd512)
	for _, c := range []struct{ picture, bucket, scaled image.Point }{
		{image.Pt(1920, 1080), image.Pt(640, 384), image.Pt(683, 384)},
		{image.Pt(1080, 1920), image.Pt(384, 640), image.Pt(384, 683)},
		{image.Pt(800, 600), image.Pt(576, 448), image.Pt(597, 448)},
		{image.Pt(3000, 1000), image.Pt(832, 256), image.Pt(832, 277)},
		{image.Pt(500, 500), image.Pt(512, 512), image.Pt(512, 512)},
		{image.Pt(512, 768), image.Pt(384, 640), image.Pt(427, 640)},
		{image.Pt(960, 256), image.Pt(960, 256), image.Pt(960, 256)},
		{image.Pt(1, 1), image.Pt(512, 512), image.Pt(512, 512)},
	} {
		bucket := dataset.Nearest(all, c.picture.X, c.picture.Y)
		if bucket != c.bucket {
			t.Errorf("%v: bucket %v, want %v", c.picture, bucket, c.bucket)
		}
		if got := dataset.Cover(c.picture.X, c.picture.Y, c.bucket); got != c.scaled {
			t.Errorf("%v: scaled to %v, want %v", c.picture, got, c.scaled)
		}
	}
}
