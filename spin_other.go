//go:build !linux || !cgo

package main

// calmThreads has nothing to do where the program does not compute with OpenMP.
func calmThreads() {}
