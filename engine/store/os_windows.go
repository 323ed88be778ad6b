package store

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// tryLock takes f's lock for this process; free is false while another holds it. The system drops the lock when the
// process ends, however it ends.
func tryLock(f *os.File) (free bool, err error) {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err = windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}
