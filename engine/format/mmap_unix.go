//go:build unix

package format

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps size bytes of f for reading. The mapping outlives f.
func mapFile(f *os.File, size int64) (data []byte, release func() error, err error) {
	if size <= 0 || size > math.MaxInt {
		return nil, nil, errors.New("no size that can be mapped")
	}
	data, err = unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return data, func() error { return unix.Munmap(data) }, nil
}
