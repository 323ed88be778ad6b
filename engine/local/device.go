package local

import (
	"bufio"
	"os"
	"runtime"
	"strconv"
	"strings"

	"easel/engine"
	"easel/engine/kernel"
	"easel/engine/kernel/onednn"
)

func describe(b kernel.Backend) engine.Device {
	d := engine.Device{Name: field("/proc/cpuinfo", "model name"), Backend: b.Name(), Threads: kernel.Threads(b), BF16: onednn.HasBF16(),
		Memory: kilobytes("/proc/meminfo", "MemTotal")}
	if d.Name == "" {
		d.Name = runtime.GOARCH
	}
	return d
}

// field returns the first value of "name : value" in a file of the proc file system; empty where there is none.
func field(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if key, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func kilobytes(path, name string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSuffix(field(path, name), " kB"), 10, 64)
	return n << 10
}

// residentPeak is the most memory that this process has held, in bytes; 0 where the system does not tell.
func residentPeak() int64 { return kilobytes("/proc/self/status", "VmHWM") }

// forgetPeak makes residentPeak begin anew, where the system can (Linux, proc(5): clear_refs).
func forgetPeak() {
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // else a later run's peak includes the earlier one's
}

// resident is the memory that this process holds now, in bytes.
func resident() int64 { return kilobytes("/proc/self/status", "VmRSS") }
