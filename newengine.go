package main

import (
	"os"
	"path/filepath"

	"easel/engine"
	"easel/engine/local"
)

// newEngine makes the engine.
func newEngine(p power) (engine.Engine, error) {
	return local.New(local.Options{Threads: p.threads, Background: p.background, Cache: cacheFolder()})
}

// cacheFolder is Easel's in the user's cache, "" where there is none.
func cacheFolder() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "easel")
}
