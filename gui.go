package main

import (
	"context"

	"easel/engine"
)

// gui is `easel gui [PROJECT]`, and easel with a folder or nothing.
func (p *program) gui(ctx context.Context, args []string) error {
	rest, err := parse(p.flags("gui"), args, 0, 1)
	if err != nil {
		return err
	}
	project := ""
	if len(rest) == 1 {
		project = rest[0]
	}
	return p.withEngine(power{threads: -1, background: true}, func(eng engine.Engine) error { return p.openWindow(ctx, eng, project) })
}
