package gui

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/icons"
)

// Window shows a project's before/after grid.
type Window struct {
	window  fyne.Window
	eng     engine.Engine
	post    func(func())
	summary *widget.Label
	body    *fyne.Container

	ctx  context.Context // ends with the window
	stop context.CancelFunc
	load context.CancelFunc // of the project that is being read
}

// NewWindow makes the window, without a project. post runs a function on Fyne's goroutine: fyne.Do, or a test's queue.
func NewWindow(app fyne.App, eng engine.Engine, post func(func())) *Window {
	w := &Window{window: app.NewWindow("Easel"), eng: eng, post: post, summary: widget.NewLabel(""), body: container.NewStack()}
	w.ctx, w.stop = context.WithCancel(context.Background())
	w.load = func() {}
	w.summary.Truncation = fyne.TextTruncateEllipsis
	open := widget.NewButtonWithIcon("Open project", theme.FolderOpenIcon(), w.choose)
	w.window.SetIcon(fyne.NewStaticResource("icon.png", icons.App))
	w.window.SetContent(container.NewBorder(container.NewBorder(nil, nil, open, nil, w.summary), nil, nil, nil, w.body))
	w.window.Resize(fyne.NewSize(960, 720))
	w.window.SetOnClosed(w.stop)
	w.showMessage("No project is open",
		"Teach a model a subject from the command line (easel help train),\nthen open the folder that it was told to write to.")
	return w
}

// ShowAndRun opens the window and returns when it is closed.
func (w *Window) ShowAndRun() { w.window.ShowAndRun() }

// Open reads the project folder dir and shows its newest run. It returns at once; a project that is still being read
// is given up.
func (w *Window) Open(dir string) {
	w.load()
	ctx, cancel := context.WithCancel(w.ctx)
	w.load = cancel
	w.summary.SetText("Reading " + dir)
	go func() { // off Fyne's goroutine until post
		run, err := w.eng.OpenRun(ctx, dir)
		var pictures [][]picture
		if err == nil {
			pictures = readRows(ctx, run.Rows)
		}
		w.post(func() {
			if ctx.Err() != nil {
				return // another project was opened meanwhile
			}
			if err != nil {
				w.showError(err)
				return
			}
			w.showRun(run, pictures)
		})
	}()
}

// choose asks for a folder.
func (w *Window) choose() {
	dialog.ShowFolderOpen(func(folder fyne.ListableURI, err error) {
		switch {
		case err != nil:
			w.showError(err)
		case folder != nil:
			w.Open(folder.Path())
		}
	}, w.window)
}

func (w *Window) showRun(run engine.Run, pictures [][]picture) {
	w.window.SetTitle("Easel: " + projectName(run))
	w.summary.SetText(summarise(run))
	if len(run.Rows) == 0 {
		w.showMessage("No pictures yet", "The first row of the grid appears when training has started. Open the project again then.")
		return
	}
	w.show(newGrid(run, pictures))
}

func (w *Window) showError(err error) {
	w.summary.SetText("")
	w.showMessage("This could not be opened", err.Error())
}

func (w *Window) showMessage(title, text string) {
	heading := widget.NewLabelWithStyle(title, fyne.TextAlignCenter, fyne.TextStyle{Bold: true})
	heading.SizeName = theme.SizeNameSubHeadingText
	explanation := widget.NewLabelWithStyle(text, fyne.TextAlignCenter, fyne.TextStyle{})
	explanation.Wrapping = fyne.TextWrapWord
	w.show(container.NewBorder(heading, nil, nil, nil, explanation))
}

func (w *Window) show(content fyne.CanvasObject) {
	w.body.Objects = []fyne.CanvasObject{content}
	w.body.Refresh()
}

// summarise tells a run in one line.
func summarise(run engine.Run) string {
	job := run.Job
	parts := []string{projectName(run)}
	if job.Word != "" {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%q %s", job.Word, job.Class)))
	}
	parts = append(parts, fmt.Sprintf("%s on %s", job.Method, filepath.Base(job.Model)), fmt.Sprintf("step %d of %d", run.Step, job.Steps))
	if n := len(run.Losses); n > 0 {
		parts = append(parts, fmt.Sprintf("loss %.4f", run.Losses[n-1].Loss))
	}
	if run.Export != "" {
		parts = append(parts, filepath.Base(run.Export))
	}
	return strings.Join(parts, "  ·  ")
}

func projectName(run engine.Run) string {
	if run.Job.Out != "" {
		return filepath.Base(run.Job.Out)
	}
	return filepath.Base(run.Dir)
}
