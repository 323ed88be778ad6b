// Easel teaches a Stable Diffusion model a new subject on the computer it runs on. Without arguments it opens its
// window; `easel help` lists the commands.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// version is what `easel version` and the exported files say. FyneApp.toml has it too.
const version = "0.1.0"

func main() {
	calmThreads()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	p := &program{name: os.Args[0], out: os.Stdout, err: os.Stderr, terminal: isTerminal(os.Stdout), newEngine: newEngine, openWindow: openWindow}
	os.Exit(p.main(ctx, os.Args[1:]))
}
