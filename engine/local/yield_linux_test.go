package local_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"easel/engine/local"
)

// TestBackgroundYieldsWithTheComputingThreadsOnly: the window's threads keep their priority.
func TestBackgroundYieldsWithTheComputingThreadsOnly(t *testing.T) {
	before := niced(t)
	if before > 0 {
		t.Skip("this process runs at low priority anyway")
	}
	eng, err := local.New(local.Options{Threads: 2, Presets: shipped(t), Background: true})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	if n := niced(t); n < 1 || n > 3 {
		t.Errorf("%d threads have a low priority, want the engine's", n)
	}
}

// niced counts this process's threads with a niceness of 10 and more.
func niced(t *testing.T) (n int) {
	t.Helper()
	paths, _ := filepath.Glob("/proc/self/task/*/stat")
	for _, path := range paths {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		if nice := strings.Fields(after)[16]; len(nice) == 2 && nice[0] == '1' {
			n++
		}
	}
	return n
}
