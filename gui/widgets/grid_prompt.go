package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// promptHead is a column's prompt. Where it can be changed, a click or Space asks for that.
type promptHead struct {
	widget.BaseWidget
	text   *widget.Label
	pencil *widget.Icon
	frame  *canvas.Rectangle
	reword func() // nil where it cannot be changed
	last   fyne.Position
}

var (
	_ fyne.Draggable     = (*promptHead)(nil)
	_ fyne.Focusable     = (*promptHead)(nil)
	_ fyne.Disableable   = (*promptHead)(nil)
	_ desktop.Cursorable = (*promptHead)(nil)
)

func newPromptHead() *promptHead {
	h := &promptHead{text: widget.NewLabel(""), pencil: widget.NewIcon(theme.DocumentCreateIcon()), frame: canvas.NewRectangle(nil)}
	h.text.Alignment, h.text.Wrapping, h.text.SizeName = fyne.TextAlignCenter, fyne.TextWrapWord, theme.SizeNameCaptionText
	h.frame.StrokeWidth, h.frame.CornerRadius = 2, theme.InputRadiusSize()
	h.frame.Hide()
	h.ExtendBaseWidget(h)
	return h
}

func (h *promptHead) show(text string, reword func()) {
	h.text.SetText(text)
	h.reword = reword
	if h.pencil.Hidden = reword == nil; reword != nil {
		h.pencil.Show()
	}
}

// Tapped implements fyne.Tappable.
func (h *promptHead) Tapped(*fyne.PointEvent) {
	if h.reword != nil {
		h.reword()
	}
}

// Dragged implements fyne.Draggable: a click that slips is a click, as in Steady.
func (h *promptHead) Dragged(e *fyne.DragEvent) { h.last = e.Position }

// DragEnd implements fyne.Draggable.
func (h *promptHead) DragEnd() {
	if s := h.Size(); h.last.X >= 0 && h.last.Y >= 0 && h.last.X < s.Width && h.last.Y < s.Height {
		h.Tapped(nil)
	}
}

// FocusGained implements fyne.Focusable.
func (h *promptHead) FocusGained() {
	h.frame.StrokeColor = theme.Color(theme.ColorNamePrimary)
	h.frame.Show()
}

// FocusLost implements fyne.Focusable.
func (h *promptHead) FocusLost() { h.frame.Hide() }

// TypedKey implements fyne.Focusable.
func (h *promptHead) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeySpace || e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter {
		h.Tapped(nil)
	}
}

// TypedRune implements fyne.Focusable.
func (h *promptHead) TypedRune(rune) {}

// Disabled implements fyne.Disableable: the keyboard passes over what cannot be changed.
func (h *promptHead) Disabled() bool { return h.reword == nil }

// Enable implements fyne.Disableable; show says whether the prompt can be changed.
func (h *promptHead) Enable() {}

// Disable implements fyne.Disableable.
func (h *promptHead) Disable() {}

// Cursor implements desktop.Cursorable.
func (h *promptHead) Cursor() desktop.Cursor {
	if h.reword == nil {
		return desktop.DefaultCursor
	}
	return desktop.PointerCursor
}

// CreateRenderer implements fyne.Widget.
func (h *promptHead) CreateRenderer() fyne.WidgetRenderer {
	corner := container.NewVBox(container.NewGridWrap(fyne.NewSquareSize(pencilSide), h.pencil))
	return widget.NewSimpleRenderer(container.NewStack(h.frame, container.NewBorder(nil, nil, nil, corner, h.text)))
}

const pencilSide = 14

// promptRoom is what a head takes beside its text.
func promptRoom() float32 { return pencilSide + theme.Padding() + 2*theme.InnerPadding() }
