package gui

import (
	"syscall"
	"time"
)

// worked is the time for which this goroutine's thread, to which it must be locked, has worked. Unlike the clock on the
// wall it does not run while other programs do.
func worked() time.Duration {
	const thisThread = 1 // RUSAGE_THREAD
	var use syscall.Rusage
	if err := syscall.Getrusage(thisThread, &use); err != nil {
		panic(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
