//go:build !cgo || headless

package main

import (
	"context"
	"errors"
)

// openWindow has no window to open: this build is for the command line.
func openWindow(context.Context, startEngine, []string) error {
	return errors.New("this build has no window; `easel help` lists its commands, `make build` builds the window")
}
