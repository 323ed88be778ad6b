package main

import (
	"easel/engine"
	"easel/engine/local"
)

// newEngine makes the engine.
func newEngine(p power) (engine.Engine, error) {
	return local.New(local.Options{Threads: p.threads, Background: p.background})
}
