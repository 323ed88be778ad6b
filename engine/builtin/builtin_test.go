package builtin_test

import (
	"io/fs"
	"strings"
	"testing"

	"easel/engine/builtin"
)

// TestWeightsTellTheirContent: each file of weights can be read in place, and is the file of its name.
func TestWeightsTellTheirContent(t *testing.T) {
	for name, want := range map[string]int{"model": 3, "captioner": 1} {
		folder, found := map[string]fs.FS{"model": builtin.Model(), "captioner": builtin.Captioner()}[name], 0
		err := fs.WalkDir(folder, ".", func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".safetensors") {
				return err
			}
			found++
			f, err := folder.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			data, err := fs.ReadFile(folder, path)
			if held, ok := f.(interface{ Content() string }); !ok || held.Content() != string(data) {
				t.Errorf("%s of the %s does not tell its content, or another's", path, name)
			}
			return err
		})
		if err != nil || found != want {
			t.Errorf("the %s has %d files of weights, error %v", name, found, err)
		}
	}
}
