package widgets

import (
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

func spacer() fyne.CanvasObject { return layout.NewSpacer() }

// Heading is a page's or section's title.
func Heading(text string) *widget.Label {
	label := widget.NewLabelWithStyle(text, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	label.SizeName = theme.SizeNameSubHeadingText
	return label
}

// Wrapped is text in lines of the width that there is.
func Wrapped(text string) *widget.Label {
	label := widget.NewLabel(text)
	label.Wrapping = fyne.TextWrapWord
	return label
}

// Quiet is small text that explains.
func Quiet(text string) *widget.Label {
	label := Wrapped(text)
	label.SizeName = theme.SizeNameCaptionText
	return label
}

// Card puts content on a ground of its own.
func Card(content fyne.CanvasObject) fyne.CanvasObject {
	return container.NewStack(newGround(), container.NewPadded(content))
}

// ground is a plate in the theme's colours, drawn anew when they change.
type ground struct {
	widget.BaseWidget
	marked bool
}

func newGround() *ground {
	g := &ground{}
	g.ExtendBaseWidget(g)
	return g
}

// CreateRenderer implements fyne.Widget.
func (g *ground) CreateRenderer() fyne.WidgetRenderer {
	r := &groundRenderer{g, canvas.NewRectangle(nil)}
	r.Refresh()
	return r
}

type groundRenderer struct {
	g     *ground
	plate *canvas.Rectangle
}

func (r *groundRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(8) }

func (r *groundRenderer) Layout(size fyne.Size) { r.plate.Resize(size) }

func (r *groundRenderer) Refresh() {
	r.plate.FillColor, r.plate.CornerRadius = theme.Color(theme.ColorNameInputBackground), 8
	r.plate.StrokeColor, r.plate.StrokeWidth = theme.Color(theme.ColorNameSeparator), 1
	if r.g.marked {
		r.plate.StrokeColor, r.plate.StrokeWidth = theme.Color(theme.ColorNamePrimary), 2
	}
	r.plate.Refresh()
}

func (r *groundRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.plate} }

func (r *groundRenderer) Destroy() {}

// Caption is small text of one line.
func Caption(text string) *widget.Label {
	label := widget.NewLabel(text)
	label.SizeName = theme.SizeNameCaptionText
	return label
}

// Sentence begins with a capital and ends with a stop.
func Sentence(text string) string {
	if text == "" {
		return ""
	}
	runes := []rune(text)
	if end := runes[len(runes)-1]; end != '.' {
		runes = append(runes, '.')
	}
	runes[0] = unicode.ToUpper(runes[0])
	return string(runes)
}

// TextScale is how much larger than usual text is: what holds words in columns grows with it.
func TextScale() float32 { return theme.TextSize() / theme.DefaultTheme().Size(theme.SizeNameText) }

// Show shows an object, or hides it, where it is not so already, which saves a repaint. It tells whether it was not.
func Show(o fyne.CanvasObject, on bool) bool {
	if on == o.Visible() {
		return false
	}
	if on {
		o.Show()
	} else {
		o.Hide()
	}
	return true
}

// Enable enables a button, or whatever it is, or disables it.
func Enable(o fyne.Disableable, on bool) {
	if on {
		o.Enable()
	} else {
		o.Disable()
	}
}

// SetText saves a repaint where nothing changes.
func SetText(label *widget.Label, text string) {
	if label.Text != text {
		label.SetText(text)
	}
}
