package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"easel/engine"
)

// program is the command line with what it needs from outside, so that a test can stand in for it.
type program struct {
	name       string // as it was called, for commands to repeat; "easel" where empty
	out, err   io.Writer
	terminal   bool // out redraws a line on "\r"
	newEngine  func(p power) (engine.Engine, error)
	openWindow func(ctx context.Context, start startEngine, paths []string) error
}

// command is a sub-command.
type command struct {
	name    string
	args    string // as its usage line shows them
	summary string
	run     func(p *program, ctx context.Context, args []string) error
}

// commands is a function for `help` is one of them and reads the list.
func commands() []command {
	return []command{
		{"train", "--images DIR --word WORD --class CLASS --out DIR", "teach a model the subject of your pictures", (*program).train},
		{"plan", "--images DIR --word WORD --class CLASS", "say what train would do, and why, before anything runs", (*program).plan},
		{"methods", "", "list the fine-tuning methods and what each costs", (*program).listMethods},
		{"compare", "--images DIR --word WORD --class CLASS --out DIR", "train all methods on the same pictures and show them side by side", (*program).compare},
		{"sample", "--prompt TEXT --out FILE.png", "render a picture from a prompt", (*program).sample},
		{"caption", "DIR", "describe a folder of pictures in captions to train on", (*program).caption},
		{"merge", "--lora FILE:WEIGHT --out FILE.safetensors", "add LoRA files to a model's weights", (*program).merge},
		{"inspect", "FILE", "say what a model file or folder is", (*program).inspect},
		{"bench", "", "measure this machine and the model on it", (*program).bench},
		{"gui", "[PROJECT or PICTURES]", "open the window (as does easel without a command)", (*program).gui},
		{"version", "", "print the version", (*program).version},
		{"help", "[COMMAND]", "explain the commands", (*program).help},
	}
}

func commandNamed(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

// The exit codes.
const (
	exitOK        = 0
	exitFailed    = 1
	exitUsage     = 2
	exitCancelled = 130 // as shells report a program that Ctrl-C ended
)

// main runs the command that args name and returns the exit code.
func (p *program) main(ctx context.Context, args []string) int {
	err := p.dispatch(ctx, args)
	var usage usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &usage):
		fmt.Fprintf(p.err, "easel: %v\n", err)
		return exitUsage
	case engine.KindOf(err) == engine.Cancelled, errors.Is(err, context.Canceled):
		fmt.Fprintln(p.err, "easel: stopped")
		return exitCancelled
	}
	fmt.Fprintf(p.err, "easel: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	return exitFailed
}

func (p *program) dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return p.gui(ctx, nil)
	}
	switch args[0] {
	case "-h", "-help", "--help":
		return p.help(ctx, nil)
	case "-version", "--version":
		return p.version(ctx, nil)
	}
	if c, ok := commandNamed(args[0]); ok {
		return c.run(p, ctx, args[1:])
	}
	if _, err := os.Stat(args[0]); err == nil {
		return p.gui(ctx, args)
	}
	return usagef("there is no command, file or folder %q; `easel help` lists the commands", args[0])
}

// usageError is a command line that cannot be understood.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// flags makes an empty flag set for a command; -h prints its usage and flags on p.out.
func (p *program) flags(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // parse reports the errors
	fs.Usage = func() {
		c, _ := commandNamed(name)
		fmt.Fprintf(p.out, "easel %s %s\n    %s\n", c.name, c.args, c.summary)
		fs.SetOutput(p.out)
		fs.PrintDefaults()
	}
	return fs
}

// parse reads args and returns those that are no flags, of which there must be from min to max. Flags may stand before
// and behind them.
func parse(fs *flag.FlagSet, args []string, min, max int) (rest []string, err error) {
	help := fs.Usage
	fs.Usage = func() {} // the package would print it for every error
	for {
		if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
			help()
			return nil, err
		} else if err != nil {
			return nil, usagef("%v; `easel %s -h` explains the flags", err, fs.Name())
		}
		if fs.NArg() == 0 {
			break
		}
		rest = append(rest, fs.Arg(0))
		args = fs.Args()[1:]
	}
	switch {
	case len(rest) < min:
		return nil, usagef("an argument is missing; `easel %s -h` explains", fs.Name())
	case len(rest) > max:
		return nil, usagef("%q was not expected (text with spaces needs quotes); `easel %s -h` explains", rest[max], fs.Name())
	}
	return rest, nil
}

// startEngine makes an engine for the window, with threads as in power.
type startEngine func(threads int) (engine.Engine, error)

// power is how much of the computer an engine takes.
type power struct {
	threads    int  // 0 is one for each physical core, -1 one less
	background bool // gives way to other programs
}

// withEngine calls f with an engine.
func (p *program) withEngine(use power, f func(engine.Engine) error) error {
	eng, err := p.newEngine(use)
	if err != nil {
		return err
	}
	err = f(eng)
	if closing := eng.Close(); err == nil {
		err = closing
	}
	return err
}
