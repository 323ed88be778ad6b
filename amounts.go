package main

import (
	"fmt"
	"math"
	"strconv"
)

// byteSize writes a size as people do, in powers of 1000.
func byteSize(n int64) string {
	value := float64(n)
	for _, unit := range []string{"B", "kB", "MB"} {
		if value < 999.5 {
			return fmt.Sprintf("%.3g %s", value, unit)
		}
		value /= 1000
	}
	return fmt.Sprintf("%.1f GB", value)
}

// duration writes seconds as m:ss, or h:mm:ss.
func duration(seconds float64) string {
	if math.IsNaN(seconds) || seconds < 0 || seconds > 1e9 {
		return "-:--"
	}
	s := int64(math.Round(seconds))
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// grouped writes n with a comma every three digits.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
