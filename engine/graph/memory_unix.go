//go:build unix

package graph

import "golang.org/x/sys/unix"

// allocate maps n zeroed bytes outside Go's heap, in large pages where the system has them, and touches each page:
// page faults inside the first step would otherwise spread over all operators.
func allocate(n int) ([]byte, func([]byte), error) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, err
	}
	adviseHuge(b)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 0
	}
	return b, func(b []byte) { _ = unix.Munmap(b) }, nil
}
