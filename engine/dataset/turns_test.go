package dataset

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestLargePicturesTakeTurns: each takes many megabytes while it is seen.
func TestLargePicturesTakeTurns(t *testing.T) {
	if testing.Short() {
		t.Skip("decodes 30 million pixels")
	}
	var data bytes.Buffer
	if err := png.Encode(&data, image.NewNRGBA(image.Rect(0, 0, 3200, 3200))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(path, data.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	var at, most atomic.Int32
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			_, err := lookAtRaw(path, func(image.Image) {
				most.Store(max(most.Load(), at.Add(1)))
				time.Sleep(50 * time.Millisecond)
				at.Add(-1)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most.Load() != 1 {
		t.Errorf("%d were seen at once", most.Load())
	}
}
