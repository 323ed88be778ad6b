package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"easel/engine"
	"easel/engine/store"
)

// TestTheDemosAreOne: `make demo` trains the same in the window as in the terminal.
func TestTheDemosAreOne(t *testing.T) {
	window, err := store.Draft("samples/demo")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`\$\(CLI\) (train [^\\]*)\\\n([^\n]*)`).FindSubmatch(makefile)
	if command == nil {
		t.Fatal("the Makefile has no demo")
	}
	words := regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(string(command[1])+string(command[2]), -1)
	for i, word := range words {
		words[i] = strings.Trim(word, `"`)
	}
	eng := &fakeEngine{}
	if code, _, stderr := easel(t, eng, false, words...); code != 0 {
		t.Fatal(stderr)
	}
	if diff := cmp.Diff(eng.job, window, cmpopts.IgnoreFields(engine.Job{}, "Images", "Out", "Control"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("terminal and window differ (-terminal +window):\n%s", diff)
	}
}
