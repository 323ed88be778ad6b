package pictures

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"easel/gui/widgets"
)

// grid is the pictures as tiles, with keys.
type grid struct {
	widget.GridWrap
	page    *Page
	focused bool
	shift   bool
}

var (
	_ fyne.Focusable    = (*grid)(nil)
	_ desktop.Keyable   = (*grid)(nil)
	_ fyne.Shortcutable = (*grid)(nil)
)

func newGrid(p *Page) *grid {
	g := &grid{page: p}
	g.Length = func() int { return len(p.album.pictures) }
	g.CreateItem = func() fyne.CanvasObject { return newTile(p.press) }
	g.UpdateItem = p.updateTile
	g.ExtendBaseWidget(g)
	return g
}

// FocusGained implements fyne.Focusable.
func (g *grid) FocusGained() {
	g.focused = true
	if g.page.album.cursor == "" && len(g.page.album.pictures) > 0 {
		g.page.album.cursor = g.page.album.pictures[0].Name
	}
	g.Refresh()
}

// FocusLost implements fyne.Focusable.
func (g *grid) FocusLost() {
	g.focused, g.shift = false, false
	g.Refresh()
}

// KeyDown implements desktop.Keyable.
func (g *grid) KeyDown(e *fyne.KeyEvent) {
	if e.Name == desktop.KeyShiftLeft || e.Name == desktop.KeyShiftRight {
		g.shift = true
	}
}

// KeyUp implements desktop.Keyable.
func (g *grid) KeyUp(e *fyne.KeyEvent) {
	if e.Name == desktop.KeyShiftLeft || e.Name == desktop.KeyShiftRight {
		g.shift = false
	}
}

// TypedKey implements fyne.Focusable.
func (g *grid) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyLeft:
		g.move(-1)
	case fyne.KeyRight:
		g.move(1)
	case fyne.KeyUp:
		g.move(-g.ColumnCount())
	case fyne.KeyDown:
		g.move(g.ColumnCount())
	case fyne.KeyHome:
		g.move(-len(g.page.album.pictures))
	case fyne.KeyEnd:
		g.move(len(g.page.album.pictures))
	case fyne.KeySpace:
		if c := g.page.album.cursor; c != "" {
			g.page.album.toggle(c)
			g.page.selectionChanged()
		}
	case fyne.KeyDelete, fyne.KeyBackspace:
		g.page.removeSelected()
	case fyne.KeyEscape:
		if len(g.page.album.selected) == 0 {
			widgets.PassKey(g, e)
		}
		g.page.album.none()
		g.page.selectionChanged()
	default:
		widgets.PassKey(g, e)
	}
}

// TypedShortcut implements fyne.Shortcutable: what the grid does not know, the window does.
func (g *grid) TypedShortcut(s fyne.Shortcut) {
	if window, ok := g.page.window.Canvas().(fyne.Shortcutable); !g.page.Shortcut(s) && ok {
		window.TypedShortcut(s)
	}
}

// move moves the cursor by a number of pictures, and the selection with it.
func (g *grid) move(by int) {
	a := g.page.album
	if len(a.pictures) == 0 {
		return
	}
	to := a.place(a.cursor) + by
	if a.place(a.cursor) < 0 {
		to = 0
	}
	to = min(max(to, 0), len(a.pictures)-1)
	if g.shift {
		a.reach(a.pictures[to].Name)
	} else {
		a.only(a.pictures[to].Name)
	}
	g.ScrollTo(to)
	g.page.selectionChanged()
}
