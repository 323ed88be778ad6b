package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// Entry leaves the window the keys that Fyne's own entry swallows: Escape, which closes what is on top, F1, and Ctrl with a
// digit, which goes to a page.
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
	if key.Name == fyne.KeyEscape || key.Name == fyne.KeyF1 {
		PassKey(e, key)
		return
	}
	e.Entry.TypedKey(key)
}

// TypedShortcut implements fyne.Shortcutable.
func (e *Entry) TypedShortcut(s fyne.Shortcut) {
	custom, ok := s.(*desktop.CustomShortcut)
	if !ok || custom.KeyName < fyne.Key0 || custom.KeyName > fyne.Key9 {
		e.Entry.TypedShortcut(s)
		return
	}
	if c, ok := fyne.CurrentApp().Driver().CanvasForObject(e).(fyne.Shortcutable); ok {
		c.TypedShortcut(s)
	}
}
