package train

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/gui/project"
)

// buttons steer the run.
type buttons struct {
	row                             *fyne.Container
	start, stop, sample, save, look *widget.Button
}

func newButtons(t *Page) *buttons {
	control := func(f func()) func() {
		return func() {
			if t.runner.control != nil {
				f()
			}
		}
	}
	b := &buttons{
		start:  widget.NewButtonWithIcon("", nil, t.startOrPause),
		stop:   widget.NewButtonWithIcon(lang.L("Stop"), theme.MediaStopIcon(), t.runner.Stop),
		sample: widget.NewButtonWithIcon(lang.L("Sample now"), theme.MediaPhotoIcon(), control(func() { t.runner.control.SampleNow() })),
		save:   widget.NewButtonWithIcon(lang.L("Save now"), theme.DocumentSaveIcon(), control(func() { t.runner.control.SaveNow() })),
		look:   widget.NewButtonWithIcon(lang.L("Look inside"), theme.SearchIcon(), t.lookInside),
	}
	b.start.Importance = widget.HighImportance
	b.row = container.NewHBox(b.start, b.stop, layout.NewSpacer(), b.sample, b.save, b.look)
	return b
}

func (t *Page) startOrPause() {
	switch t.project.State() {
	case project.Training:
		t.runner.Pause()
	case project.Paused:
		t.runner.Resume()
	case project.Idle:
		t.runner.Start()
	}
}

func (b *buttons) refresh(t *Page) {
	state := t.project.State()
	b.start.Text, b.start.Icon = lang.L("Start"), theme.MediaPlayIcon()
	switch state {
	case project.Training:
		b.start.Text, b.start.Icon = lang.L("Pause"), theme.MediaPauseIcon()
	case project.Paused:
		b.start.Text = lang.L("Go on")
	}
	running := state == project.Training || state == project.Paused
	enable(b.start, running || state == project.Idle && (t.project.Missing() == "" || t.runner.interrupted()))
	for _, button := range []*widget.Button{b.stop, b.sample, b.save, b.look} {
		enable(button, running)
	}
	b.start.Refresh()
}

func enable(b *widget.Button, on bool) {
	if on {
		b.Enable()
	} else {
		b.Disable()
	}
}
