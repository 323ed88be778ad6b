//go:build unix && !linux

package graph

func adviseHuge([]byte) {}
