package local

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"easel/engine"
)

// publish makes the merged model under another name beside its place, so that it appears there whole or not at all.
// Nothing is replaced, also where somebody else took the name meanwhile.
func (m *merger) publish(make func(temp string) error) error {
	out := filepath.Clean(m.req.Out)
	temp := filepath.Join(filepath.Dir(out), ".easel-"+rand.Text()+".tmp")
	defer os.RemoveAll(temp) // nothing is left there when all went well
	if err := make(temp); err != nil {
		return inMerge(out, renamed(err, temp, out))
	}
	if exists(out) && !m.replaces(out) {
		return m.taken()
	}
	var link *os.LinkError // says both names, of which one tells the user nothing
	if err := os.Rename(temp, out); errors.As(err, &link) {
		return inMerge(out, link.Err)
	}
	return nil
}

// replaces says whether what is at a path may be replaced: a plain file, where that is asked for.
func (m *merger) replaces(path string) bool {
	stat, err := os.Lstat(path)
	return m.req.Replace && err == nil && stat.Mode().IsRegular()
}

// reads says whether a path is one of those that the merge reads, or lies in a folder that it reads.
func (m *merger) reads(path string) bool {
	sources := []string{m.req.Model}
	for _, l := range m.req.LoRAs {
		sources = append(sources, l.Path)
	}
	for at := filepath.Clean(path); ; at = filepath.Dir(at) {
		stat, err := os.Stat(at)
		if err == nil && slices.ContainsFunc(sources, func(source string) bool {
			of, err := os.Stat(source)
			return err == nil && os.SameFile(of, stat)
		}) {
			return true
		}
		if at == filepath.Dir(at) {
			return false
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func (m *merger) taken() error {
	return engine.Errorf(opMerge, m.req.Out, engine.BadInput, "there is something of that name; choose another, for nothing is replaced")
}

// renamed lets an error speak of the name that what it is about will have.
func renamed(err error, temp, out string) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		inner.Path = strings.Replace(inner.Path, temp, out, 1)
	}
	var e *engine.Error
	if errors.As(err, &e) {
		e.Path = strings.Replace(e.Path, temp, out, 1)
	}
	return err
}
