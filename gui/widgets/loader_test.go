package widgets_test

import (
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/gui/widgets"

	"easel/gui/guitest"
)

func TestPicturesAreFitted(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ width, height, wantWidth, wantHeight int }{
		{128, 128, 384, 384}, // whole factor
		{100, 60, 300, 180},
		{384, 200, 384, 200},
		{512, 512, 384, 384},
		{768, 2, 384, 1},
		{1, 1000, 1, 384},
	} {
		path := filepath.Join(dir, "p.png")
		guitest.Plain(t, path, c.width, c.height, color.White)
		got, err := widgets.ReadPicture(path, 384)
		if err != nil {
			t.Fatal(err)
		}
		if size := got.Bounds().Size(); size != image.Pt(c.wantWidth, c.wantHeight) {
			t.Errorf("%d by %d becomes %v, want %d by %d", c.width, c.height, size, c.wantWidth, c.wantHeight)
		}
	}
}

func TestAHugePictureIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "huge.png")
	guitest.Plain(t, path, 1, 1, color.White)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint32(data[16:], 1<<20) // width and height in the header, then its checksum
	binary.BigEndian.PutUint32(data[20:], 1<<20)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := widgets.ReadPicture(path, 384); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("error %v", err)
	}
}
