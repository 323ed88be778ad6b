//go:build cgo && linux && amd64

package onednn

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

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
