package atomicfile_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/internal/atomicfile"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// check looks at the file and that nothing else lies beside it.
func check(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("the file holds %.20q (%v), want %q", got, err, want)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestWriteIsWholeOrNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("ä", 120)+".txt") // 244 of the 255 bytes that a name may have
	if err := atomicfile.Write("save", path, text("old")); err != nil {
		t.Fatal(err)
	}
	check(t, path, "old")

	torn := errors.New("the pen broke")
	err := atomicfile.Write("save", path, func(w io.Writer) error {
		fmt.Fprint(w, strings.Repeat("new", 1<<20))
		return torn
	})
	var e *engine.Error
	if !errors.Is(err, torn) || !errors.As(err, &e) || e.Op != "save" || e.Path != path || e.Kind != engine.BadFile {
		t.Errorf("error %#v", err)
	}
	check(t, path, "old")

	own := engine.Errorf("encode", "x", engine.NaN, "not finite")
	if err := atomicfile.Write("save", path, func(io.Writer) error { return own }); err != own {
		t.Errorf("the writer's own error became %v", err)
	}
	check(t, path, "old")

	if err := atomicfile.Write("save", path, text("new")); err != nil {
		t.Fatal(err)
	}
	check(t, path, "new")
}

func TestWriteNamesWhatItCannotWrite(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, filepath.Join(dir, "missing", "x")} {
		err := atomicfile.Write("save", path, text("x"))
		if engine.KindOf(err) != engine.BadFile || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}
