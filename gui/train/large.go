package train

import (
	"fmt"
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/gui/post"
	"easel/gui/widgets"
)

// large shows one picture of the grid over its picture before training: same prompt, seed and noise. ↑ and ↓ go through
// the steps, Page Up and Down through the prompts, Escape goes back.
type large struct {
	object  fyne.CanvasObject
	open    bool
	compare *widgets.Compare
	prompt  *widget.Label
	loader  *widgets.Loader
	back    func()

	columns     []string
	rows        []widgets.GridRow
	row, column int
	shown       [2]image.Image
}

// largeSide is in pixels.
const largeSide = 1024

func newLarge(run post.Func, back func()) *large {
	l := &large{compare: widgets.NewCompare("", ""), prompt: widgets.Wrapped(""), loader: widgets.NewLoader(run, largeSide, 8), back: back}
	l.compare.OnKey = l.key
	l.prompt.TextStyle.Bold = true
	button := widget.NewButtonWithIcon(lang.L("Back"), theme.NavigateBackIcon(), back)
	hint := widgets.Caption(lang.L("Drag the divider, or ← →.  Space: before or after.  ↑ ↓: other steps.  Esc: back."))
	l.object = container.NewBorder(container.NewBorder(nil, nil, button, nil, l.prompt), hint, nil, nil, container.NewPadded(l.compare))
	return l
}

// show opens a cell. The first row is compared with the newest.
func (l *large) show(columns []string, rows []widgets.GridRow, row, column int) {
	l.open, l.columns, l.rows, l.row, l.column = true, columns, rows, row, column
	if l.row == 0 {
		l.row = len(rows) - 1
	}
	l.load()
}

func (l *large) focus(c fyne.Canvas) { c.Focus(l.compare) }

func (l *large) load() {
	l.prompt.SetText(l.columns[l.column])
	l.compare.SetNames(stepName(l.rows[0].Step), stepName(l.rows[l.row].Step))
	l.shown = [2]image.Image{}
	l.compare.SetPictures(nil, nil)
	for i, row := range []int{0, l.row} {
		path := ""
		if pictures := l.rows[row].Pictures; l.column < len(pictures) {
			path = pictures[l.column]
		}
		if path == "" {
			continue
		}
		atRow, atColumn := l.row, l.column
		l.loader.Load(path, func(p image.Image, err error) {
			if err == nil && atRow == l.row && atColumn == l.column {
				l.shown[i] = p
				l.compare.SetPictures(l.shown[0], l.shown[1])
			}
		})
	}
}

func stepName(step int) string {
	if step == 0 {
		return lang.L("before")
	}
	return fmt.Sprintf(lang.L("step %d"), step)
}

func (l *large) key(name fyne.KeyName) {
	switch name {
	case fyne.KeyEscape:
		l.back()
	case fyne.KeyUp:
		l.move(-1, 0)
	case fyne.KeyDown:
		l.move(1, 0)
	case fyne.KeyPageUp:
		l.move(0, -1)
	case fyne.KeyPageDown:
		l.move(0, 1)
	}
}

func (l *large) move(rows, columns int) {
	row, column := l.row+rows, l.column+columns
	if row < min(1, len(l.rows)-1) || row >= len(l.rows) || column < 0 || column >= len(l.columns) {
		return
	}
	l.row, l.column = row, column
	l.load()
}
