package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Steady is a button that counts a click although the pointer slips a few pixels inside a Scroll, List or Table, which
// Fyne 2.7.1 takes for dragging (issue #4672). From 2.7.2 on widget.Button will do.
type Steady struct {
	widget.Button
	last fyne.Position
}

var _ fyne.Draggable = (*Steady)(nil)

// NewSteady makes a button; icon may be nil.
func NewSteady(text string, icon fyne.Resource, tapped func()) *Steady {
	b := &Steady{}
	b.Text, b.Icon, b.OnTapped = text, icon, tapped
	b.ExtendBaseWidget(b)
	return b
}

// Dragged implements fyne.Draggable.
func (b *Steady) Dragged(e *fyne.DragEvent) { b.last = e.Position }

// DragEnd implements fyne.Draggable.
func (b *Steady) DragEnd() {
	if s := b.Size(); b.last.X >= 0 && b.last.Y >= 0 && b.last.X < s.Width && b.last.Y < s.Height {
		b.Tapped(&fyne.PointEvent{Position: b.last})
	}
}

// TypedKey implements fyne.Focusable.
func (b *Steady) TypedKey(e *fyne.KeyEvent) {
	if b.Button.TypedKey(e); e.Name != fyne.KeySpace {
		PassKey(b, e)
	}
}

// PassKey gives the window a key that the widget with the focus does not take. Fyne gives it to nobody.
func PassKey(o fyne.CanvasObject, e *fyne.KeyEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(e)
	}
}

// ButtonText is what the button says, for tests.
func (b *Steady) ButtonText() string { return b.Text }
