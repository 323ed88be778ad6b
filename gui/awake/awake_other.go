//go:build !linux

package awake

import "errors"

// Possible reports whether this system can be kept awake. Only Linux is written so far.
const Possible = false

func inhibit(string) (func(), error) {
	return nil, errors.New("Easel cannot do it on this system")
}
