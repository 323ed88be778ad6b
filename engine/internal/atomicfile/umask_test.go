//go:build unix

package atomicfile_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"easel/engine/internal/atomicfile"
)

func TestWriteRespectsTheUmask(t *testing.T) {
	for _, mask := range []int{0o022, 0o077, 0o002} {
		path := filepath.Join(t.TempDir(), "x")
		old := syscall.Umask(mask)
		err := atomicfile.Write("save", path, text("x"))
		syscall.Umask(old)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := info.Mode().Perm(), os.FileMode(0o666&^mask); got != want {
			t.Errorf("umask %03o gives %v, want %v", mask, got, want)
		}
	}
}
