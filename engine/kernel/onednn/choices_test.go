//go:build cgo && linux && amd64

package onednn

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

func choicesIn(path string) *choices {
	c := &choices{path: path, kept: kept{Machine: "a machine"}}
	c.Faster = c.read()
	return c
}

// TestWhatCannotBeWrittenIsNotKept: it would count in this run alone.
func TestWhatCannotBeWrittenIsNotKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "choices.json")
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o777); err != nil {
		t.Fatal(err)
	}
	c := choicesIn(path)
	if _, ok := c.keep("key", winograd); ok {
		t.Error("a choice was kept in a folder")
	}
	if a, ok := c.find("key"); ok || !c.closed {
		t.Errorf("%s is known, closed %v", a, c.closed)
	}
}

// TestEnoughChoices: what is there stays known, and no more is taken.
func TestEnoughChoices(t *testing.T) {
	c := choicesIn(filepath.Join(t.TempDir(), "choices.json"))
	if _, ok := c.keep("first", winograd); !ok {
		t.Fatal("nothing can be kept")
	}
	for i := range maxChoices - 1 {
		c.Faster[fmt.Sprint(i)] = direct
	}
	write(t, c)
	if _, ok := c.keep("one more", direct); ok || !c.closed {
		t.Errorf("one more than enough was kept, closed %v", c.closed)
	}
	if a, ok := c.keep("first", direct); !ok || a != winograd {
		t.Errorf("the first is %s, %v", a, ok)
	}
}

// write makes c's choices those of the file.
func write(t *testing.T, c *choices) {
	t.Helper()
	text := fmt.Sprintf(`{"Machine": %q, "Faster": {`, c.Machine)
	comma := ""
	for key, a := range c.Faster {
		text += fmt.Sprintf("%s%q: %q", comma, key, a)
		comma = ","
	}
	if err := os.WriteFile(c.path, []byte(text+"}}"), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestTwoWhoWriteAtOnce lose nothing of each other's.
func TestTwoWhoWriteAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "choices.json")
	var both sync.WaitGroup
	for who := range 2 {
		both.Go(func() {
			c := choicesIn(path)
			for i := range 30 {
				if _, ok := c.keep(fmt.Sprint(who, " ", i), direct); !ok {
					t.Error("nothing can be kept")
				}
			}
		})
	}
	both.Wait()
	if n := len(choicesIn(path).Faster); n != 60 {
		t.Errorf("%d choices are there, want 60", n)
	}
}
