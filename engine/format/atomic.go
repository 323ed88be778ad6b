package format

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

// replaceFile writes a file so that path holds either its old content or all of the new: to a temporary file in
// the same folder, synced, renamed, the folder synced.
func replaceFile(op, path string, write func(io.Writer) error) error {
	dir := filepath.Dir(path)
	// Not os.CreateTemp: the file shall get the permissions that the user's umask gives.
	temp := filepath.Join(dir, "."+filepath.Base(path)+"."+rand.Text()[:8]+".tmp")
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return engine.Errorf(op, path, engine.BadFile, "%w", err)
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp)
		return engine.Errorf(op, path, engine.BadFile, "%w", err)
	}
	if err := syncDir(dir); err != nil {
		return engine.Errorf(op, path, engine.BadFile, "%w", err)
	}
	return nil
}

// syncDir makes a rename in dir durable. Windows and some network file systems cannot do it.
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
