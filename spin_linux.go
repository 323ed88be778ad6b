//go:build cgo

package main

import (
	"os"
	"syscall"
)

// shortSpin is how long an idle thread of OpenMP's waits actively before it sleeps, in rounds. libgomp's own 300000
// starve whatever else runs (a browser, a second training) and slow both to a crawl; this is as fast on a quiet machine.
const shortSpin = "GOMP_SPINCOUNT=10000"

// calmThreads starts the program anew with shortSpin, unless the user has set the like: libgomp reads it when it is
// loaded, before any code of ours. Where that fails the program goes on as it is.
func calmThreads() {
	for _, name := range []string{"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} {
		if _, ok := os.LookupEnv(name); ok {
			return
		}
	}
	if exe, err := os.Executable(); err == nil {
		_ = syscall.Exec(exe, os.Args, append(os.Environ(), shortSpin)) // returns on failure only
	}
}
