package store

import (
	"os"
	"path/filepath"

	"easel/engine"
)

// lockName is an empty file that stays in the project; only the lock on it matters.
const lockName = ".easel.lock"

// lock makes this process the project's only writer until the file is closed.
func lock(project string) (*os.File, error) {
	const op = "lock project"
	f, err := os.OpenFile(filepath.Join(project, lockName), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, engine.Errorf(op, project, engine.BadFile, "%w; choose a folder that you may write to", err)
	}
	free, err := tryLock(f)
	if err != nil {
		f.Close()
		return nil, engine.Errorf(op, project, engine.BadFile, "%w", err)
	}
	if !free {
		f.Close()
		return nil, engine.Errorf(op, project, engine.BadInput,
			"another Easel is training in this project; wait until it ends, or choose another folder")
	}
	return f, nil
}
