package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// Across lays the buttons of a radio group beside each other, or below each other where the width does not hold them.
func Across(group *widget.RadioGroup) fyne.CanvasObject {
	group.Horizontal = true
	return container.New(across{group}, group)
}

type across struct{ group *widget.RadioGroup }

// option is the width of each button.
func (a across) option() float32 {
	width := a.group.MinSize().Width
	if a.group.Horizontal {
		width /= float32(max(len(a.group.Options), 1))
	}
	return width
}

// Layout implements fyne.Layout.
func (a across) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	if fits := a.option()*float32(len(a.group.Options)) <= size.Width; fits != a.group.Horizontal {
		a.group.Horizontal = fits
		a.group.Refresh()
	}
	a.group.Resize(size)
}

// MinSize implements fyne.Layout.
func (a across) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(a.option(), a.group.MinSize().Height)
}
