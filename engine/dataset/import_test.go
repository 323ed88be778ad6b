package dataset_test

import (
	"archive/zip"
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/dataset"
)

// pictureBytes is a PNG of one colour.
func pictureBytes(t testing.TB, gray uint8) string {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range img.Pix {
		img.Pix[i] = gray
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// files writes files below a new folder.
func files(t testing.TB, content map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range content {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func noModel(string) (engine.FileInfo, bool) { return engine.FileInfo{}, false }

// imported imports paths into dir and returns the files that dir holds then, and why others were not taken.
func imported(t testing.TB, dir string, paths ...string) (names []string, refused string) {
	t.Helper()
	err := dataset.Import(context.Background(), dir, paths, noModel, func(i engine.Imported) {
		if i.Why != "" {
			refused += filepath.Base(i.Source) + ": " + i.Why + "\n"
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, refused
}

func TestImportKeepsPicturesAndCaptionsTogether(t *testing.T) {
	from := files(t, map[string]string{
		"one/cat.png": pictureBytes(t, 1), "one/cat.txt": "first", "two/cat.png": pictureBytes(t, 2), "two/cat.caption": "second",
		"two/same.png": pictureBytes(t, 1), "two/.hidden.png": pictureBytes(t, 3), "two/Thumbs.db": "x", "two/readme.md": "x", "two/lonely.txt": "x",
		"two/picture.txt": pictureBytes(t, 4),
	})
	dir := filepath.Join(t.TempDir(), "images")
	names, refused := imported(t, dir, filepath.Join(from, "one"), filepath.Join(from, "two"))
	want := []string{"cat-2.png", "cat-2.txt", "cat.png", "cat.txt", "picture.png"}
	if !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
	for name, text := range map[string]string{"cat.txt": "first\n", "cat-2.txt": "second\n"} {
		if got, _ := os.ReadFile(filepath.Join(dir, name)); string(got) != text {
			t.Errorf("%s holds %q, want %q", name, got, text)
		}
	}
	for _, want := range []string{"same.png: it is here already, as cat.png", "readme.md: this is not a picture", "lonely.txt: this caption file belongs to no picture"} {
		if !strings.Contains(refused, want) {
			t.Errorf("not told: %s; but\n%s", want, refused)
		}
	}
	if n := strings.Count(refused, "\n"); n != 3 {
		t.Errorf("told %d times:\n%s", n, refused)
	}
}

func zipped(t testing.TB, content map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range content {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestImportUnpacksNothingOutside(t *testing.T) {
	from := files(t, map[string]string{"a.zip": zipped(t, map[string]string{
		"../../up.png": pictureBytes(t, 1), "/root.png": pictureBytes(t, 2), `..\..\back.png`: pictureBytes(t, 3), "in/good.png": pictureBytes(t, 4),
		"in/good.txt": "fine", "in/inner.zip": zipped(t, map[string]string{"x.png": pictureBytes(t, 5)}), "__MACOSX/._good.png": "x",
	})})
	parent := t.TempDir()
	dir := filepath.Join(parent, "project", "images")
	names, refused := imported(t, dir, filepath.Join(from, "a.zip"))
	if !slices.Contains(names, "good.png") || !slices.Contains(names, "good.txt") {
		t.Errorf("files %q, refused %s", names, refused)
	}
	if !strings.Contains(refused, "inner.zip") {
		t.Errorf("the archive within is not told of: %s", refused)
	}
	err := filepath.WalkDir(parent, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Dir(path) != dir {
			t.Errorf("%s is outside", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestImportRefusesDamagedArchivesInWords(t *testing.T) {
	whole := zipped(t, map[string]string{"a.png": pictureBytes(t, 1)})
	from := files(t, map[string]string{"torn.zip": whole[:len(whole)-30]})
	if names, refused := imported(t, t.TempDir(), filepath.Join(from, "torn.zip")); len(names) != 0 || !strings.Contains(refused, "cannot be opened") {
		t.Errorf("files %q, refused %q", names, refused)
	}
}

func TestRemoveAndRestore(t *testing.T) {
	dir := files(t, map[string]string{"a.png": pictureBytes(t, 1), "a.txt": "text", "b.png": pictureBytes(t, 2)})
	removed := filepath.Join(t.TempDir(), "removed")
	if err := dataset.Remove(dir, removed, []string{"a.png"}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a.txt")); err == nil {
		t.Error("the caption stayed")
	}
	if err := dataset.Restore(dir, removed, []string{"a.png"}); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "a.txt")); err != nil || string(text) != "text" {
		t.Errorf("caption %q, error %v", text, err)
	}
	for _, name := range []string{"../b.png", "none.png"} {
		if dataset.Remove(dir, removed, []string{name}) == nil {
			t.Errorf("%s was removed", name)
		}
	}
}

// FuzzImportZip looks for an archive that panics, or that writes outside.
func FuzzImportZip(f *testing.F) {
	f.Add([]byte(zipped(f, map[string]string{"a.png": pictureBytes(f, 1), "../b.png": pictureBytes(f, 2), "a.txt": "x"})))
	f.Fuzz(func(t *testing.T, data []byte) {
		parent := t.TempDir()
		archive, dir := filepath.Join(t.TempDir(), "a.zip"), filepath.Join(parent, "images")
		if err := os.WriteFile(archive, data, 0o666); err != nil {
			t.Fatal(err)
		}
		dataset.Import(context.Background(), dir, []string{archive}, noModel, func(engine.Imported) {})
		entries, err := os.ReadDir(parent)
		if err != nil || len(entries) != 1 {
			t.Fatalf("outside lie %v, error %v", entries, err)
		}
	})
}
