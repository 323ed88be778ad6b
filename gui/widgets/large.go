package widgets

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/gui/post"
)

// Large shows one picture of a grid over its picture before training: same prompt, seed and noise. ↑ and ↓ go through
// the rows, Page Up and Down through the prompts, Escape goes back.
type Large struct {
	object  fyne.CanvasObject
	compare *Compare
	prompt  *widget.Label
	loader  *Loader
	back    func()

	columns     []string
	rows        []LargeRow
	row, column int
	shown       [2]image.Image
}

// LargeRow is a row of the grid: pictures, one a column, and what stands in their corners. The first one is from before
// training.
type LargeRow struct {
	Name     string
	Pictures []string
}

// largeSide is in pixels.
const largeSide = 1024

// NewLarge makes a Large; hint says what the keys do.
func NewLarge(run post.Func, hint string, back func()) *Large {
	l := &Large{compare: NewCompare("", ""), prompt: Wrapped(""), loader: NewLoader(run, largeSide, 8), back: back}
	l.compare.OnKey = l.key
	l.prompt.TextStyle.Bold = true
	button := widget.NewButtonWithIcon(lang.L("Back"), theme.NavigateBackIcon(), back)
	l.object = container.NewBorder(container.NewBorder(nil, nil, button, nil, l.prompt), Quiet(hint), nil, nil, container.NewPadded(l.compare))
	return l
}

// Object is what a page shows.
func (l *Large) Object() fyne.CanvasObject { return l.object }

// Show opens a cell. The first row is compared with the newest that has the column's picture.
func (l *Large) Show(columns []string, rows []LargeRow, row, column int) {
	l.columns, l.rows, l.row, l.column = columns, rows, row, column
	for last := len(rows) - 1; l.row == 0 && last > 0; last-- {
		if l.path(last) != "" {
			l.row = last
		}
	}
	l.load()
}

// Focus gives the keyboard to the pictures.
func (l *Large) Focus(c fyne.Canvas) { c.Focus(l.compare) }

// path is the file of a row in the column that is shown; "" where there is none.
func (l *Large) path(row int) string {
	if pictures := l.rows[row].Pictures; l.column < len(pictures) {
		return pictures[l.column]
	}
	return ""
}

func (l *Large) load() {
	l.prompt.SetText(l.columns[l.column])
	l.compare.SetNames(l.rows[0].Name, l.rows[l.row].Name)
	l.shown = [2]image.Image{}
	l.compare.SetPictures(nil, nil)
	for i, row := range []int{0, l.row} {
		path := l.path(row)
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

func (l *Large) key(name fyne.KeyName) {
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

func (l *Large) move(rows, columns int) {
	row, column := l.row+rows, l.column+columns
	if row < min(1, len(l.rows)-1) || row >= len(l.rows) || column < 0 || column >= len(l.columns) {
		return
	}
	l.row, l.column = row, column
	l.load()
}
