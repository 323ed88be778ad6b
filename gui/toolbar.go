package gui

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/project"
	"easel/gui/theme"
)

// toolbar is above all pages, and never in a scroll: there Fyne loses clicks (issue 4672).
type toolbar struct {
	project *project.Project
	title   *widget.Label
	state   *widget.Label
	start   *widget.Button
	stop    *widget.Button
	middle  *fyne.Container // the title and the state
	content fyne.CanvasObject
}

func newToolbar(p *project.Project, projects func(), words fyne.CanvasObject) *toolbar {
	t := &toolbar{project: p, title: widget.NewLabel(""), state: widget.NewLabel("")}
	t.title.TextStyle.Bold, t.title.SizeName = true, fynetheme.SizeNameSubHeadingText
	t.title.Truncation, t.state.Truncation = fyne.TextTruncateEllipsis, fyne.TextTruncateEllipsis
	t.state.Importance = widget.LowImportance
	t.state.Alignment = fyne.TextAlignTrailing
	t.start = widget.NewButtonWithIcon("", nil, t.press)
	t.start.Importance = widget.HighImportance
	t.stop = widget.NewButtonWithIcon(lang.L("Stop"), theme.Icon("stop"), p.Stop)
	folder := widget.NewButtonWithIcon(lang.L("Projects"), theme.Icon("folder"), projects)
	state := container.NewVBox(layout.NewSpacer(), t.state, layout.NewSpacer()) // the title is higher
	t.middle = container.New(titleLayout{t}, t.title, state)
	t.content = container.NewVBox(container.New(layout.NewCustomPaddedLayout(theme.Near, theme.Near, theme.Near, theme.Near),
		container.NewBorder(nil, nil, folder, container.NewHBox(words, t.stop, t.start), t.middle)), widget.NewSeparator())
	p.Opened.Listen(func(*project.Project) { t.update() })
	p.Edited.Listen(func(engine.Job) { t.update() })
	p.PicturesChanged.Listen(func(int) { t.update() })
	p.RunChanged.Listen(func(engine.Run) { t.update() })
	p.StateChanged.Listen(func(project.State) { t.update() })
	t.update()
	return t
}

// titleLayout lays the title at the left and the state at the right: each has what it needs, and the longer one gives way.
type titleLayout struct{ *toolbar }

// MinSize implements fyne.Layout.
func (l titleLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	a, b := objects[0].MinSize(), objects[1].MinSize()
	return fyne.NewSize(a.Width+b.Width, max(a.Height, b.Height))
}

// Layout implements fyne.Layout.
func (l titleLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	room := 2 * fynetheme.InnerPadding()
	title := fyne.MeasureText(l.title.Text, fynetheme.Size(l.title.SizeName), l.title.TextStyle).Width + room + 2
	state := fyne.MeasureText(l.state.Text, fynetheme.TextSize(), l.state.TextStyle).Width + room + 2
	title = max(size.Width-state, min(title, size.Width/2))
	objects[0].Resize(fyne.NewSize(title, size.Height))
	objects[1].Resize(fyne.NewSize(size.Width-title, size.Height))
	objects[1].Move(fyne.NewPos(title, 0))
}

// press starts, pauses or goes on.
func (t *toolbar) press() {
	switch t.project.State() {
	case project.Idle:
		t.project.Runner.Start()
	case project.Training:
		t.project.Runner.Pause()
	case project.Paused:
		t.project.Runner.Resume()
	}
}

// update shows what can be done now.
func (t *toolbar) update() {
	state := t.project.State()
	missing := t.project.Missing()
	faces := map[project.State]face{
		project.Idle:      t.idle(),
		project.Planning:  {"pause", lang.L("Pause"), lang.L("Measuring this computer …")},
		project.Training:  {"pause", lang.L("Pause"), lang.L("Training")},
		project.Paused:    {"start", lang.L("Go on"), lang.L("Paused")},
		project.Comparing: {"start", lang.L("Start training"), said(missing)},
		project.Stopping:  {"pause", lang.L("Pause"), lang.L("Stopping, and keeping what is learnt …")},
	}
	face := faces[state]
	t.title.SetText(t.project.Name())
	t.state.SetText(face.says)
	t.middle.Refresh() // other texts, other widths
	t.start.SetText(face.text)
	// The icon stands on the button's own colour.
	t.start.SetIcon(theme.ColoredIcon(face.icon, fynetheme.ColorNameForegroundOnPrimary))
	can := state == project.Idle && missing == "" || state == project.Training || state == project.Paused
	if can && t.project.Runner != nil {
		t.start.Enable()
	} else {
		t.start.SetIcon(theme.ColoredIcon(face.icon, fynetheme.ColorNameDisabled))
		t.start.Disable()
	}
	t.stop.Hidden = !state.Busy() || state == project.Stopping
	t.stop.Refresh()
}

// face is what the button to start with shows, and the line beside it.
type face struct{ icon, text, says string }

// idle says what a start would do, or what it still needs.
func (t *toolbar) idle() face {
	missing, run := t.project.Missing(), t.project.Run()
	switch {
	case missing != "":
		return face{"start", lang.L("Start training"), said(missing)}
	case t.project.Interrupted() && t.project.Runner != nil && t.project.Runner.GoesOn():
		return face{"start", fmt.Sprintf(lang.L("Go on from step %d"), run.Step), fmt.Sprintf(lang.L("A run stopped at step %d of %d"), run.Step, run.Job.Steps)}
	case t.project.Interrupted():
		return face{"start", lang.L("Start anew"), lang.L("Settings were changed: from step 0")}
	}
	return face{"start", lang.L("Start training"), lang.L("All is ready.")}
}

// said is a text of a project in the user's language.
func said(text string) string {
	if text == "" {
		return ""
	}
	return lang.L(text)
}
