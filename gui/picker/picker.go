// Package picker asks for files and folders: by the desktop's own file chooser, which picks many at once, and where there is
// none by Fyne's.
package picker

import (
	"context"
	"errors"
	"fmt"
	"log"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/driver"
	"fyne.io/fyne/v2/storage"

	"easel/gui/post"
)

// Question is what a Picker asks for.
type Question struct {
	Title      string
	Folder     bool     // asks for a folder in place of files
	Many       bool     // lets pick several, where the desktop can
	Begin      string   // the folder to begin in, where that is one
	Kind       string   // what files with one of Extensions are
	Extensions []string // of files to show, as ".png"; empty shows all
}

// Picker asks one question at a time.
type Picker struct {
	window   fyne.Window
	post     post.Func
	withdraw context.CancelFunc // the question that the desktop asks
}

// New makes a Picker whose questions belong to a window.
func New(window fyne.Window, post post.Func) *Picker {
	return &Picker{window: window, post: post, withdraw: func() {}}
}

// errNone says that the desktop has no chooser for a question. Nothing was shown then.
var errNone = errors.New("the desktop has no file chooser")

// Ask asks, and hands over what the user picked, on Fyne's goroutine; nothing where that is nothing. It returns at once.
// A question that the desktop still asks, perhaps behind the window, is withdrawn.
func (p *Picker) Ask(q Question, then func(paths []string)) {
	p.withdraw()
	name, native := nameOf(p.window)
	if !native { // a test's
		p.show(q, then)
		return
	}
	ctx, withdraw := context.WithCancel(context.Background())
	p.withdraw = withdraw
	go func() {
		paths, err := choose(ctx, name, q)
		p.post(func() {
			switch {
			case ctx.Err() != nil: // withdrawn
			case errors.Is(err, errNone):
				log.Println(err)
				p.show(q, then)
			case err != nil:
				dialog.ShowError(err, p.window)
			case len(paths) > 0:
				then(paths)
			}
		})
	}()
}

// nameOf is how the desktop knows a window, "" where that is not to be had; native are those on a screen.
func nameOf(window fyne.Window) (name string, native bool) {
	w, native := window.(driver.NativeWindow)
	if native {
		w.RunNative(func(context any) {
			if x, ok := context.(driver.X11WindowContext); ok {
				name = fmt.Sprintf("x11:%x", x.WindowHandle)
			}
		})
	}
	return name, native
}

// show asks with Fyne's dialog.
func (p *Picker) show(q Question, then func(paths []string)) {
	var d *dialog.FileDialog
	if q.Folder {
		d = dialog.NewFolderOpen(func(folder fyne.ListableURI, err error) {
			if err != nil {
				dialog.ShowError(err, p.window)
			} else if folder != nil {
				then([]string{folder.Path()})
			}
		}, p.window)
	} else {
		d = dialog.NewFileOpen(func(file fyne.URIReadCloser, err error) {
			if err != nil {
				dialog.ShowError(err, p.window)
			} else if file != nil {
				file.Close()
				then([]string{file.URI().Path()})
			}
		}, p.window)
	}
	if len(q.Extensions) > 0 {
		d.SetFilter(storage.NewExtensionFileFilter(q.Extensions))
	}
	if at, err := storage.ListerForURI(storage.NewFileURI(q.Begin)); err == nil && q.Begin != "" {
		d.SetLocation(at)
	}
	d.SetTitleText(q.Title)
	d.Resize(fyne.NewSize(760, 520))
	d.Show()
}
