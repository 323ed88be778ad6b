//go:build cgo && linux && amd64

package onednn_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine/kernel"
	"easel/engine/kernel/onednn"
)

// chosen convolves with a backend that keeps its choices in a folder.
func chosen(t *testing.T, folder string) []byte {
	t.Helper()
	b, err := onednn.New(onednn.Options{ISA: os.Getenv(capVariable), Cache: folder})
	must(t, err)
	defer b.Close()
	return convolve(t, b)
}

// convolve is a convolution whose bits tell the algorithm. Its addend is its result, to which measuring must not add.
func convolve(t *testing.T, b kernel.Backend) []byte {
	t.Helper()
	x, y, w := noise(kernel.F32, 1, 16, 16, 64), noise(kernel.F32, 1, 16, 16, 48), noise(kernel.F32, 48, 64, 3, 3)
	w.Frozen = true
	must(t, b.Conv2D(y, x, w, nil, y, kernel.Conv{Stride: 1, Top: 1, Left: 1, Bottom: 1, Right: 1}))
	return y.Data
}

// kept is the one file of a folder.
func kept(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	must(t, err)
	if len(files) != 1 {
		t.Fatalf("files %q, want one", files)
	}
	return files[0]
}

// TestChoiceIsKept: what was measured once holds for later runs, whatever they would measure.
func TestChoiceIsKept(t *testing.T) {
	results := map[string][]byte{"direct": convolve(t, openFixed(t, "direct")), "winograd": convolve(t, openFixed(t, "winograd"))}
	if bytes.Equal(results["direct"], results["winograd"]) {
		t.Fatal("the algorithms give the same bits, so that they cannot be told apart")
	}
	folder := filepath.Join(t.TempDir(), "new", "folder")
	first := chosen(t, folder)
	text, err := os.ReadFile(kept(t, folder))
	must(t, err)
	name, other := "direct", "winograd"
	if !strings.Contains(string(text), `"direct"`) {
		name, other = other, name
	}
	if !bytes.Equal(first, results[name]) {
		t.Errorf("the result is not that of %s, which was kept", name)
	}
	for _, holds := range []string{name, other} {
		must(t, os.WriteFile(kept(t, folder), bytes.ReplaceAll(text, []byte(`"`+name+`"`), []byte(`"`+holds+`"`)), 0o666))
		if !bytes.Equal(chosen(t, folder), results[holds]) {
			t.Errorf("the file says %s, the result is another's", holds)
		}
	}
}

// TestBadChoices: a file that is damaged or another machine's is replaced.
func TestBadChoices(t *testing.T) {
	folder := t.TempDir()
	chosen(t, folder)
	path := kept(t, folder)
	good, err := os.ReadFile(path)
	must(t, err)
	for name, text := range map[string]string{
		"empty":    "",
		"cut":      string(good[:len(good)/2]),
		"foreign":  strings.Replace(string(good), `"Machine": "`, `"Machine": "another `, 1),
		"unknown":  strings.NewReplacer(`"direct"`, `"fft"`, `"winograd"`, `"fft"`).Replace(string(good)),
		"null":     "null",
		"too long": string(good) + strings.Repeat(" ", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			must(t, os.WriteFile(path, []byte(text), 0o666))
			chosen(t, folder)
			again, err := os.ReadFile(kept(t, folder))
			must(t, err)
			if keys := func(b []byte) string { return strings.NewReplacer(`"direct"`, "", `"winograd"`, "").Replace(string(b)) }; keys(again) != keys(good) {
				t.Errorf("the file holds %d bytes, %.500q, want %.500q but for the choice", len(again), again, good)
			}
		})
	}
}

// TestNoPlaceForChoices: where nothing can be kept, two runs still decide alike.
func TestNoPlaceForChoices(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o666))
	byRule := chosen(t, "")
	for range 3 {
		if !bytes.Equal(chosen(t, file), byRule) {
			t.Error("a choice that cannot be kept differs from the rule's")
		}
	}
}
