package store

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"

	"easel/engine"
)

// WriteFile replaces path with what write produces, whole or not at all: the bytes go to a temporary file in the same
// folder, which is synced and renamed. Missing parent folders are made. When write or the disk fails, path stays as
// it was and the temporary file is removed.
func WriteFile(path string, write func(io.Writer) error) error {
	const op = "write file"
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return engine.Errorf(op, path, engine.BadFile, "cannot make its folder: %w", err)
	}
	temp, err := os.CreateTemp(dir, ".easel-*.tmp") // a short name: path's own may already be as long as is allowed
	if err != nil {
		return engine.Errorf(op, path, engine.BadFile, "%w; choose a folder that you may write to", err)
	}
	defer os.Remove(temp.Name()) // fails, as it should, once the file has been renamed
	if err := fill(temp, write); err != nil {
		if e := new(engine.Error); errors.As(err, &e) {
			return err // write's own, which says what happened
		}
		return engine.Errorf(op, path, engine.BadFile, "%w", err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return engine.Errorf(op, path, engine.BadFile, "%w", err)
	}
	if err := syncDir(dir); err != nil {
		return engine.Errorf(op, path, engine.BadFile, "%w", err)
	}
	return nil
}

// fill writes f through a buffer, puts it on the disk and closes it.
func fill(f *os.File, write func(io.Writer) error) error {
	defer f.Close() // a second Close on the way out of success is harmless
	buffered := bufio.NewWriterSize(f, 1<<20)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil { // CreateTemp's files are private
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}
