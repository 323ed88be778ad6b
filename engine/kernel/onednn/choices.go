//go:build cgo && linux && amd64

package onednn

/*
#include <dnnl.h>
*/
import "C"

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"easel/engine/internal/atomicfile"
)

// choices are the algorithms that were measured to be faster on this machine. They are kept in a file, so that all runs
// decide alike: results of two algorithms differ in their last bits, and a resumed run must repeat an uninterrupted one.
type choices struct {
	path   string
	closed bool // nothing more can be kept: there are enough, or the file cannot be written
	kept
}

// kept is what the file holds.
type kept struct {
	Machine string               // all that speed depends on
	Faster  map[string]algorithm // by convKey
}

const (
	choicesVersion = 2       // of our kernels: measure again when it changes
	maxChoices     = 4096    // one network at one size needs some hundred
	maxChoicesFile = 1 << 20 // bytes
)

// openChoices reads the file of a machine in a folder. A damaged or foreign one counts as empty.
func openChoices(folder, backend string, threads int) *choices {
	v := C.dnnl_version()
	machine := fmt.Sprintf("%s, %s %d.%d.%d, %d threads, version %d", processor(), backend, v.major, v.minor, v.patch, threads, choicesVersion)
	h := fnv.New32a()
	h.Write([]byte(machine))
	c := &choices{path: filepath.Join(folder, fmt.Sprintf("convolutions-%08x.json", h.Sum32())), kept: kept{Machine: machine}}
	c.Faster = c.read()
	return c
}

// read returns what the file holds for this machine.
func (c *choices) read() map[string]algorithm {
	none := map[string]algorithm{}
	f, err := os.Open(c.path)
	if err != nil {
		return none
	}
	defer f.Close()
	var file kept
	text, err := io.ReadAll(io.LimitReader(f, maxChoicesFile+1))
	if err != nil || len(text) > maxChoicesFile || json.Unmarshal(text, &file) != nil || file.Machine != c.Machine || file.Faster == nil || len(file.Faster) > maxChoices {
		return none
	}
	for _, a := range file.Faster {
		if a != direct && a != winograd {
			return none
		}
	}
	return file.Faster
}

func (c *choices) find(key string) (algorithm, bool) {
	a, ok := c.Faster[key]
	return a, ok
}

// keep writes a choice to the file, after what other processes have written there meanwhile: what is there stays. It
// returns what is kept, or false where that is impossible, now and later.
func (c *choices) keep(key string, a algorithm) (algorithm, bool) {
	defer c.lock()()
	c.Faster = c.read()
	if there, ok := c.find(key); ok {
		return there, true
	}
	if len(c.Faster) < maxChoices {
		c.Faster[key] = a
		err := atomicfile.Write("keep choices", c.path, func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", "\t")
			return e.Encode(c.kept)
		})
		if err == nil {
			return a, true
		}
		delete(c.Faster, key)
	}
	c.closed = true
	return "", false
}

// lock keeps other processes from writing the file until the function that it returns is called. It locks the folder, so
// that no file is left there. Where that cannot be done, of two that write at once the last counts: the other's choice is
// measured again.
func (c *choices) lock() (unlock func()) {
	os.MkdirAll(filepath.Dir(c.path), 0o777) // writing tells of what goes wrong
	folder, err := os.Open(filepath.Dir(c.path))
	if err != nil {
		return func() {}
	}
	syscall.Flock(int(folder.Fd()), syscall.LOCK_EX)
	return func() { folder.Close() }
}

// processor is the model's name as Linux tells it.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
