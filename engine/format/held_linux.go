package format

import (
	"fmt"
	"os"
	"strings"
	"unsafe"
)

// ofFile says whether memory is a view of a file that cannot have changed since, as what a program embeds is: unless the
// program was packed, when its loader has unpacked it into memory of its own, which would come back as zeros.
func ofFile(data []byte) bool {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil || len(data) == 0 {
		return false
	}
	first := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	for line := range strings.Lines(string(maps)) {
		var begin, end, offset uintptr
		var may, device string
		var inode uint64
		if _, err := fmt.Sscanf(line, "%x-%x %s %x %s %d", &begin, &end, &may, &offset, &device, &inode); err != nil {
			return false
		}
		if begin <= first && first < end {
			return may == "r--p" && inode != 0 && first+uintptr(len(data)) <= end
		}
	}
	return false
}
