//go:build !linux && cgo && !headless

package main

import "fyne.io/fyne/v2"

// rest does nothing where it was not tried: see rest_linux.go.
type rest struct{}

func (*rest) do(f func()) { fyne.Do(f) }

func (*rest) begin() {}

func (*rest) end() {}
