package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Entry is for dialogs that give it the focus: Escape closes them, which Fyne's own entry would swallow.
type Entry struct{ widget.Entry }

// NewEntry makes one, of several lines where lines says so.
func NewEntry(lines bool) *Entry {
	e := &Entry{}
	if e.MultiLine = lines; lines {
		e.Wrapping = fyne.TextWrapWord
	}
	e.ExtendBaseWidget(e)
	return e
}

// TypedKey implements fyne.Focusable.
func (e *Entry) TypedKey(key *fyne.KeyEvent) {
	if key.Name == fyne.KeyEscape {
		PassKey(e, key)
		return
	}
	e.Entry.TypedKey(key)
}
