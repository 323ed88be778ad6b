package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/gui/theme"
)

// Empty is in place of what is not there yet: it says what will be here.
type Empty struct {
	widget.BaseWidget
	title, text *widget.Label
	content     fyne.CanvasObject
}

// NewEmpty makes one with one of Easel's icons.
func NewEmpty(icon, title, text string) *Empty {
	e := &Empty{title: Heading(title), text: Wrapped(text)}
	e.title.Alignment, e.title.Wrapping, e.text.Alignment = fyne.TextAlignCenter, fyne.TextWrapWord, fyne.TextAlignCenter
	picture := widget.NewIcon(theme.ColoredIcon(icon, fynetheme.ColorNameDisabled))
	e.content = container.New(middle{}, container.NewVBox(container.NewCenter(container.NewGridWrap(fyne.NewSquareSize(64), picture)), e.title, e.text))
	e.ExtendBaseWidget(e)
	return e
}

// Say changes what it says.
func (e *Empty) Say(title, text string) {
	if e.title.Text != title {
		e.title.SetText(title)
		e.text.SetText(text)
	}
}

// CreateRenderer implements fyne.Widget.
func (e *Empty) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(e.content) }

// middle lays an object into the middle, a little above, no wider than one likes to read.
type middle struct{}

// Layout implements fyne.Layout.
func (middle) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := min(size.Width, 480*TextScale())
	objects[0].Resize(fyne.NewSize(width, objects[0].Size().Height)) // its texts wrap at this width
	height := objects[0].MinSize().Height
	objects[0].Resize(fyne.NewSize(width, height))
	objects[0].Move(fyne.NewPos((size.Width-width)/2, max((size.Height-height)/3, 0)))
}

// MinSize implements fyne.Layout.
func (middle) MinSize(objects []fyne.CanvasObject) fyne.Size { return objects[0].MinSize() }
