package samples_test

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"easel/samples"
)

func TestEachPictureHasACaptionWithWordAndClass(t *testing.T) {
	for _, s := range samples.All() {
		pictures, err := fs.Glob(samples.Files(), s.Name+"/*.png")
		if err != nil || len(pictures) < 4 {
			t.Fatalf("%s has pictures %v, error %v", s.Name, pictures, err)
		}
		for _, p := range pictures {
			caption, err := fs.ReadFile(samples.Files(), strings.TrimSuffix(p, ".png")+".txt")
			if err != nil || !strings.Contains(string(caption), s.Name) || !strings.Contains(string(caption), s.Class) {
				t.Errorf("%s: caption %q, error %v", p, caption, err)
			}
		}
		if _, err := fs.Stat(samples.Files(), s.Cover); err != nil {
			t.Error(err)
		}
	}
}

func TestCopy(t *testing.T) {
	s := samples.All()[0]
	dir := filepath.Join(t.TempDir(), "images")
	if err := s.Copy(dir); err != nil {
		t.Fatal(err)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*.png")); len(files) < 4 {
		t.Errorf("copied %q", files)
	}
	if s.Copy(dir) == nil {
		t.Error("copied over files")
	}
}
