package gui

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/project"
)

// runPage shows the before/after grid of the project's newest run.
type runPage struct {
	w    *Window
	body *fyne.Container
	load context.CancelFunc // of the run that is being read
}

func newRunPage(w *Window) *runPage {
	p := &runPage{w: w, body: container.NewStack(), load: func() {}}
	w.project.Opened.Listen(func(*project.Project) { p.open(w.project.Run()) })
	p.message(lang.L("Nothing is trained yet"), lang.L("Add pictures first. The first row of the grid appears when training has started."))
	return p
}

// open shows a run. Its pictures are read off Fyne's goroutine.
func (p *runPage) open(run engine.Run) {
	p.load()
	if len(run.Rows) == 0 {
		p.message(lang.L("Nothing is trained yet"), lang.L("The first row of the grid appears when training has started."))
		return
	}
	ctx, cancel := context.WithCancel(p.w.ctx)
	p.load = cancel
	go func() {
		pictures := readRows(ctx, run.Rows)
		p.w.post(func() {
			if ctx.Err() == nil {
				summary := widget.NewLabel(summarise(run))
				summary.Truncation = fyne.TextTruncateEllipsis
				p.show(container.NewBorder(summary, nil, nil, nil, newGrid(run, pictures)))
			}
		})
	}()
}

func (p *runPage) message(title, text string) {
	explanation := widget.NewLabelWithStyle(text, fyne.TextAlignCenter, fyne.TextStyle{})
	explanation.Wrapping = fyne.TextWrapWord
	title = strings.TrimSpace(title)
	top := heading(title, fynetheme.SizeNameSubHeadingText)
	top.Alignment = fyne.TextAlignCenter
	p.show(container.NewBorder(top, nil, nil, nil, explanation))
}

func (p *runPage) show(content fyne.CanvasObject) {
	p.body.Objects = []fyne.CanvasObject{content}
	p.body.Refresh()
}

// summarise tells a run in one line.
func summarise(run engine.Run) string {
	job := run.Job
	var parts []string
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
