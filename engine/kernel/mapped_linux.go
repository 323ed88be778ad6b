package kernel

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// populate is MADV_POPULATE_READ of Linux 5.14: it maps all pages in one call instead of one fault for each few.
const populate = 22

// LetGo gives back the memory of a Mapped tensor, but for the pages it shares with its neighbours. The values are read
// from the file when they are next used: out of the system's page cache as long as nothing else needs that memory.
func (t *Tensor) LetGo() { t.advise(unix.MADV_DONTNEED) }

// Fetch makes the memory of a Mapped tensor present at once, which is faster than one page fault after the other. It does
// nothing where the system cannot.
func (t *Tensor) Fetch() { t.advise(populate) }

func (t *Tensor) advise(what int) {
	if !t.Mapped || len(t.Data) == 0 {
		return
	}
	page := os.Getpagesize()
	start := uintptr(unsafe.Pointer(unsafe.SliceData(t.Data)))
	skip := int(-start & uintptr(page-1))
	whole := (len(t.Data) - skip) / page * page
	if whole > 0 {
		_ = unix.Madvise(t.Data[skip:skip+whole], what)
	}
}
