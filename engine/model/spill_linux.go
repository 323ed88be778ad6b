package model

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"easel/engine/kernel"
)

// spill hands out memory for weights outside Go's heap, which would otherwise collect as much garbage again before it is
// swept. Each piece is unmapped when its tensor is collected.
type spill struct {
	file *os.File // without a name, so that it is gone with the process
	end  int64
}

// place gives t zeroed memory for its elements: of a file in dir, or of the system where dir is empty.
func (s *spill) place(t *kernel.Tensor, dir string) (err error) {
	n := t.Len() * t.DType.Size()
	flags, fd := unix.MAP_ANON|unix.MAP_PRIVATE, -1
	if dir != "" {
		if err := s.extend(dir, n); err != nil {
			return err
		}
		flags, fd = unix.MAP_SHARED, int(s.file.Fd())
	}
	data, err := unix.Mmap(fd, s.end, n, unix.PROT_READ|unix.PROT_WRITE, flags)
	if err != nil {
		return err
	}
	t.Data, t.Mapped = data, dir != ""
	if dir != "" {
		page := int64(os.Getpagesize())
		s.end += (int64(n) + page - 1) / page * page
	}
	runtime.AddCleanup(t, func(data []byte) { _ = unix.Munmap(data) }, data)
	return nil
}

// extend makes sure that the disk has room for n more bytes: a hole in the file would end the process when it is written.
func (s *spill) extend(dir string, n int) error {
	if s.file == nil {
		f, err := os.CreateTemp(dir, "easel-weights-")
		if err != nil {
			return err
		}
		os.Remove(f.Name())
		s.file = f // closed by the collector; mappings outlive it
	}
	return unix.Fallocate(int(s.file.Fd()), 0, s.end, int64(n))
}
