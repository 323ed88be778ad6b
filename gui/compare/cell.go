package compare

import (
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/gui/widgets"
)

// cell is a picture of the grid, or the place for one. A click, Space or Return opens it, arrows go to its neighbours.
type cell struct {
	widget.BaseWidget
	open   func()
	move   func(fyne.KeyName)
	reveal func(fyne.CanvasObject)

	path    string
	picture *canvas.Image
	problem *widget.Label // why there is no picture
	focused bool
	last    fyne.Position
}

var (
	_ fyne.Tappable  = (*cell)(nil)
	_ fyne.Draggable = (*cell)(nil)
	_ fyne.Focusable = (*cell)(nil)
)

func newCell(open func(), move func(fyne.KeyName), reveal func(fyne.CanvasObject)) *cell {
	c := &cell{open: open, move: move, reveal: reveal, picture: &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScaleFastest}, problem: widgets.Quiet("")}
	c.problem.Importance = widget.DangerImportance
	c.ExtendBaseWidget(c)
	return c
}

// show shows the picture of a file; "" is an empty place. The picture before stays until the new one is read.
func (c *cell) show(path string, loader *widgets.Loader) {
	if c.path == path {
		return
	}
	c.path = path
	if path == "" {
		c.set(nil, "")
		return
	}
	loader.Load(path, func(p image.Image, err error) {
		switch {
		case c.path != path: // it shows another picture by now
		case err != nil:
			c.set(nil, err.Error())
		default:
			c.set(p, "")
		}
	})
}

func (c *cell) set(p image.Image, problem string) {
	c.picture.Image = p
	c.picture.Refresh()
	widgets.SetText(c.problem, problem)
}

// Tapped implements fyne.Tappable.
func (c *cell) Tapped(*fyne.PointEvent) {
	if c.path != "" {
		c.open()
	}
}

// Dragged implements fyne.Draggable: a click that slips is a click, as in widgets.Steady.
func (c *cell) Dragged(e *fyne.DragEvent) { c.last = e.Position }

// DragEnd implements fyne.Draggable.
func (c *cell) DragEnd() {
	if s := c.Size(); c.last.X >= 0 && c.last.Y >= 0 && c.last.X < s.Width && c.last.Y < s.Height {
		c.Tapped(nil)
	}
}

// FocusGained implements fyne.Focusable.
func (c *cell) FocusGained() {
	c.focused = true
	c.Refresh()
	c.reveal(c)
}

// FocusLost implements fyne.Focusable.
func (c *cell) FocusLost() { c.focused = false; c.Refresh() }

// TypedRune implements fyne.Focusable.
func (c *cell) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (c *cell) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		c.Tapped(nil)
	default:
		c.move(e.Name)
	}
}

// CreateRenderer implements fyne.Widget.
func (c *cell) CreateRenderer() fyne.WidgetRenderer {
	r := &cellRenderer{c: c, ground: canvas.NewRectangle(nil), frame: canvas.NewRectangle(color.Transparent)}
	r.Refresh()
	return r
}

type cellRenderer struct {
	c             *cell
	ground, frame *canvas.Rectangle
}

func (r *cellRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(40) }

func (r *cellRenderer) Layout(size fyne.Size) {
	for _, o := range r.Objects() {
		o.Resize(size)
	}
}

func (r *cellRenderer) Refresh() {
	r.ground.FillColor, r.ground.CornerRadius = fynetheme.Color(fynetheme.ColorNameInputBackground), 4
	r.frame.StrokeWidth = 0
	if r.c.focused {
		r.frame.StrokeColor, r.frame.StrokeWidth = fynetheme.Color(fynetheme.ColorNameForeground), 3
	}
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *cellRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.c.picture, r.c.problem, r.frame}
}

func (r *cellRenderer) Destroy() {}
