package dataset

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"easel/engine"
)

// Remove moves pictures and their captions out of dir into the folder removed, in place of what was removed under the
// same name before.
func Remove(dir, removed string, names []string) error { return move(dir, removed, names, true) }

// Restore undoes Remove. A picture that has taken a name meanwhile stays, which is a BadInput error.
func Restore(dir, removed string, names []string) error { return move(removed, dir, names, false) }

func move(from, to string, names []string, replace bool) error {
	const op = "move picture"
	if err := os.MkdirAll(to, 0o777); err != nil {
		return engine.Errorf(op, to, engine.BadFile, "%w", err)
	}
	for _, name := range names {
		if filepath.Base(name) != name {
			return engine.Errorf(op, name, engine.BadInput, "this is not the name of a file")
		}
		for _, file := range append([]string{name}, captionNames(name)...) {
			source, target := filepath.Join(from, file), filepath.Join(to, file)
			if _, err := os.Lstat(source); errors.Is(err, fs.ErrNotExist) && file != name {
				continue
			}
			if _, err := os.Lstat(target); err == nil && !replace {
				return engine.Errorf(op, target, engine.BadInput, "another picture has this name now")
			}
			if err := os.Rename(source, target); err != nil {
				return unreadable(op, source, err)
			}
		}
	}
	return nil
}

// captionNames are the names that a picture's caption files can have.
func captionNames(picture string) []string {
	var names []string
	for _, ext := range captionExtensions {
		names = append(names, stem(picture)+ext)
	}
	return names
}
