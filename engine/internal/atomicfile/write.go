// Package atomicfile writes files that matter: after a crash, a full disk or a fault of the writer the path holds
// either what it held before or all of the new.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"easel/engine"
)

// Write replaces path with what write produces: a temporary file in the same folder, synced and renamed. The file
// gets the permissions that the user's umask gives to a new one. When anything fails the temporary file is removed.
//
// An *engine.Error of write is returned as it is; all other errors are of kind BadFile, with op and path.
func Write(op, path string, write func(io.Writer) error) error {
	temp, err := create(filepath.Dir(path))
	if err != nil {
		return engine.Errorf(op, path, engine.BadFile, "%w; choose a folder that you may write to", err)
	}
	err = fill(temp, write)
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		os.Remove(temp.Name())
	} else {
		err = syncDir(filepath.Dir(path))
	}
	if e := new(engine.Error); err == nil || errors.As(err, &e) {
		return err
	}
	return engine.Errorf(op, path, engine.BadFile, "%w", err)
}

// create makes a temporary file in dir. Its name does not grow with that of the file to be, which may already be as
// long as the system allows. os.CreateTemp would do but for the permissions, which it keeps to the user alone.
func create(dir string) (*os.File, error) {
	path := filepath.Join(dir, ".easel-"+rand.Text()+".tmp")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	var p *os.PathError
	if errors.As(err, &p) { // it names the temporary file, which tells the user nothing
		err = p.Err
	}
	return f, err
}

// fill writes f, puts it on the disk and closes it.
func fill(f *os.File, write func(io.Writer) error) error {
	defer f.Close() // a second Close on the way out of success is harmless
	if err := write(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// syncDir makes a rename in dir last. Windows and some network file systems cannot do it.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
