package dataset_test

import (
	"context"
	"image/color"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine/dataset"
)

func TestNaturalOrder(t *testing.T) {
	want := []string{"1.png", "02.png", "2.png", "10.png", "a.png", "A1.png", "a2b.png", "A2c.png", "a10.png", "a99999999999999999999999.png", "b.png", "é.png"}
	dir := t.TempDir()
	picture := pngOf(t, 4, 4, color.NRGBA{A: 255})
	for i := range want {
		write(t, dir, want[(i*5)%len(want)], picture)
	}
	set, err := dataset.Load(context.Background(), dir, small)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range set.Items {
		got = append(got, filepath.Base(it.Path))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
