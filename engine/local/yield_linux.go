package local

import "golang.org/x/sys/unix"

// background is the niceness of a long run: below what people do meanwhile, above what may wait for ever.
const background = 10

// yield lowers the priority of the calling thread, and of those it starts later; it never raises it.
func yield() {
	reverse, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // of this thread, as 20 - niceness
	if err == nil && 20-reverse < background {
		_ = unix.Setpriority(unix.PRIO_PROCESS, 0, background)
	}
}
