package main

import (
	"context"
	"math"
	"path/filepath"

	"easel/engine"
)

// gui is `easel gui [PATH...]`, and easel with files, folders or nothing.
func (p *program) gui(ctx context.Context, args []string) error {
	paths, err := parse(p.flags("gui"), args, 0, math.MaxInt)
	if err != nil {
		return err
	}
	for i, path := range paths { // a project of its own folder, wherever Easel was started
		if paths[i], err = filepath.Abs(path); err != nil {
			return err
		}
	}
	start := func(threads int) (engine.Engine, error) {
		return p.newEngine(power{threads: threads, background: true})
	}
	return p.openWindow(ctx, start, paths)
}
