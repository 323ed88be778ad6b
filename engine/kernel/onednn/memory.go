//go:build cgo && linux && amd64

package onednn

import "unsafe"

// uintptrOf is the address of a slice's memory.
func uintptrOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }
