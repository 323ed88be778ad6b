package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
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

// byteCount is a flag's number of bytes: "2GB", "1.5GiB", "800MB".
type byteCount int64

// units are bytes by suffix, longer suffixes first.
var units = []struct {
	suffix string
	bytes  float64
}{{"gib", 1 << 30}, {"mib", 1 << 20}, {"gb", 1e9}, {"mb", 1e6}, {"g", 1e9}, {"m", 1e6}}

// String implements flag.Value.
func (b *byteCount) String() string {
	if b == nil || *b == 0 {
		return ""
	}
	return byteSize(int64(*b))
}

// Set implements flag.Value.
func (b *byteCount) Set(text string) error {
	number := strings.ToLower(strings.TrimSpace(text))
	for _, u := range units {
		digits, ok := strings.CutSuffix(number, u.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if err != nil || !(v > 0) || v*u.bytes > 1e15 {
			break
		}
		*b = byteCount(v * u.bytes)
		return nil
	}
	return fmt.Errorf("give an amount of memory such as 2GB, 1.5GiB or 800MB")
}
