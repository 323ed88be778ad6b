//go:build cgo && !headless

package main

import (
	"context"
	"errors"
	"os"
	"runtime"
	"runtime/debug"

	"fyne.io/fyne/v2/app"

	"easel/gui"
	"easel/gui/settings"
)

// garbage is how much of it, in percent of what is in use, Go may let lie while the window is open: most of the heap is
// pixels, which cost little to collect and much to keep twice.
const garbage = 25

// openWindow shows the window, with what paths name, until the user closes it.
func openWindow(ctx context.Context, start startEngine, paths []string) (err error) {
	if runtime.GOOS == "linux" && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return errors.New("there is no screen to open a window on; `easel help` lists the commands that need none")
	}
	debug.SetGCPercent(garbage)
	a := app.NewWithID("io.github.easel")
	eng, err := start(settings.Load(a.Preferences()).Threads)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	var idle rest
	window := gui.NewWindow(a, eng, idle.do)
	// Not before the start: until then fyne.Do runs on the goroutine that calls it.
	a.Lifecycle().SetOnStarted(func() {
		idle.begin()
		window.Take(paths)
	})
	window.Closing = idle.end
	quit := func() {
		idle.end()
		a.Quit()
	}
	context.AfterFunc(ctx, func() { idle.do(quit) }) // Ctrl-C in the terminal
	window.ShowAndRun()
	return nil
}
