package main

import (
	"os"
	"path/filepath"

	"easel/engine"
	"easel/engine/local"
	"easel/engine/preset"
	"easel/presets"
)

// newEngine makes the engine.
func newEngine(p power) (engine.Engine, error) {
	chosen, err := readPresets()
	if err != nil {
		return nil, err
	}
	return local.New(local.Options{Threads: p.threads, Background: p.background, Cache: cacheFolder(), Presets: chosen})
}

// readPresets reads those that Easel ships and lays the user's own over them.
func readPresets() (preset.Set, error) {
	shipped, err := preset.Read(presets.Files)
	if err != nil {
		return nil, err
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return shipped, nil
	}
	users, err := preset.Read(os.DirFS(filepath.Join(config, "easel", "presets"))) // empty where the folder is not there
	if err != nil {
		return nil, err
	}
	return shipped.Over(users), nil
}

// cacheFolder is Easel's in the user's cache, "" where there is none.
func cacheFolder() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "easel")
}
