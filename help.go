package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// help is `easel help [COMMAND]`.
func (p *program) help(ctx context.Context, args []string) error {
	rest, err := parse(p.flags("help"), args, 0, 1)
	if err != nil {
		return err
	}
	if len(rest) == 1 {
		c, ok := commandNamed(rest[0])
		if !ok {
			return usagef("there is no command %q; `easel help` lists the commands", rest[0])
		}
		return c.run(p, ctx, []string{"-h"})
	}
	fmt.Fprint(p.out, "Easel teaches a Stable Diffusion model a new subject on this computer.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(p.out, "  easel %-8s %s\n", c.name, c.summary)
	}
	fmt.Fprint(p.out, "\n`easel help COMMAND` explains a command's flags.\n")
	return nil
}

// version is `easel version`.
func (p *program) version(_ context.Context, args []string) error {
	if _, err := parse(p.flags("version"), args, 0, 0); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "easel %s%s, %s, %s/%s\n", version, revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// revision is the commit that the program was built from, in brackets, where the build recorded it.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return " (" + s.Value[:12] + ")"
		}
	}
	return ""
}
