package main

import (
	"os"
	"path/filepath"

	"easel/engine"
	"easel/engine/local"
)

// newEngine makes the engine with the given number of computing threads; 0 is one a core.
func newEngine(threads int) (engine.Engine, error) {
	return local.New(local.Options{Threads: threads, Cache: cacheFolder()})
}

// cacheFolder is Easel's in the user's cache, "" where there is none.
func cacheFolder() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "easel")
}
