//go:build cgo && linux && amd64

package onednn

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"easel/engine"
)

// teamSize is the number of threads for Options.Threads; a number that nobody can mean is a BadInput error.
func teamSize(op string, threads int) (int, error) {
	most := 4 * runtime.NumCPU()
	switch {
	case threads < 0 || threads > most:
		return 0, engine.Errorf(op, "", engine.BadInput, "%d threads: choose 1 to %d, or 0 for the best number", threads, most)
	case threads > 0:
		return threads, nil
	}
	n := min(cores(), runtime.GOMAXPROCS(0)) // which knows a container's quota
	if asked := environmentThreads(); asked > 0 {
		n = min(n, asked)
	}
	return n, nil
}

// environmentThreads is OMP_NUM_THREADS, of a list the first number, as OpenMP reads it; 0 where it says nothing.
func environmentThreads() int {
	first, _, _ := strings.Cut(os.Getenv("OMP_NUM_THREADS"), ",")
	n, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return 0
	}
	return n
}

// cores is the number of physical cores among the processors this process may use: two threads of a core share its
// vector units, so a second one only adds overhead. Where the system does not tell, every processor counts.
func cores() int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return runtime.NumCPU()
	}
	seen := map[string]bool{}
	for cpu := range 64 * len(set) {
		if !set.IsSet(cpu) {
			continue
		}
		siblings, err := os.ReadFile(fmt.Sprintf("/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu))
		if err != nil {
			return set.Count()
		}
		seen[strings.TrimSpace(string(siblings))] = true
	}
	return max(len(seen), 1)
}
