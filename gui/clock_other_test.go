//go:build !linux

package gui

import "time"

var begun = time.Now()

// worked is the time since the start: the best there is here.
func worked() time.Duration { return time.Since(begun) }
