package main

import (
	"easel/engine"
	"easel/engine/local"
)

// newEngine makes the engine with the given number of computing threads; 0 is one a core.
func newEngine(threads int) (engine.Engine, error) {
	return local.New(local.Options{Threads: threads})
}
