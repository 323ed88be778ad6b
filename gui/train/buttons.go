package train

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/gui/project"
	"easel/gui/widgets"
)

// buttons ask for more of a run than the toolbar, which starts, pauses and stops it.
type buttons struct {
	row                *fyne.Container
	sample, save, look *widget.Button
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
		sample: widget.NewButtonWithIcon(lang.L("Sample now"), theme.MediaPhotoIcon(), control(func() { t.runner.control.SampleNow() })),
		save:   widget.NewButtonWithIcon(lang.L("Save now"), theme.DocumentSaveIcon(), control(func() { t.runner.control.SaveNow() })),
		look:   widget.NewButtonWithIcon(lang.L("Look inside"), theme.SearchIcon(), t.lookInside),
	}
	b.row = container.NewVBox(container.NewGridWithColumns(2, b.sample, b.save), b.look)
	return b
}

func (b *buttons) refresh(t *Page) {
	state := t.project.State()
	for _, button := range []*widget.Button{b.sample, b.save, b.look} {
		widgets.Enable(button, state == project.Training || state == project.Paused)
	}
}
