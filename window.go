//go:build cgo && !headless

package main

import (
	"context"
	"errors"
	"os"
	"runtime"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"

	"easel/gui"
	"easel/gui/settings"
)

// openWindow shows the window, with what paths name, until the user closes it.
func openWindow(ctx context.Context, start startEngine, paths []string) (err error) {
	if runtime.GOOS == "linux" && os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return errors.New("there is no screen to open a window on; `easel help` lists the commands that need none")
	}
	a := app.NewWithID("io.github.easel")
	eng, err := start(settings.Load(a.Preferences()).Threads)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	window := gui.NewWindow(a, eng, fyne.Do)
	// Not before the start: until then fyne.Do runs on the goroutine that calls it.
	a.Lifecycle().SetOnStarted(func() { window.Take(paths) })
	context.AfterFunc(ctx, func() { fyne.Do(a.Quit) }) // Ctrl-C in the terminal
	window.ShowAndRun()
	return nil
}
