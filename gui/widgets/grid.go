package widgets

import (
	"image"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/gui/post"
)

// GridRow is a row of a Grid: the pictures after a step, one a column. Where a path is empty or missing there is none.
type GridRow struct {
	Step     int
	Pictures []string
}

// Grid shows pictures of one model at several steps: a column a prompt, a row a step. Only what is in sight is read, and
// only the pictures seen last are kept.
type Grid struct {
	widget.BaseWidget
	// Open is called for a picture that the user wants to see large.
	Open func(row, column int)
	// Choose is called for a row that the user wants to use; nil hides the buttons.
	Choose func(row int)
	// Reword is called for a column whose prompt the user wants to change; nil where it cannot be.
	Reword func(column int)

	columns []string
	rows    []GridRow
	chosen  int // step in use, -1 where none is
	table   *widget.Table
	loader  *Loader
}

// The sizes of a grid, in Fyne's units.
const (
	leastCell  = 136
	mostCell   = 320
	cellPixels = 384
	mostCells  = 120 // pictures that are kept: at most 70 MB
)

// NewGrid makes an empty grid.
func NewGrid(run post.Func) *Grid {
	g := &Grid{chosen: -1, loader: NewLoader(run, cellPixels, mostCells)}
	g.table = &widget.Table{
		Length:           func() (int, int) { return len(g.rows), len(g.columns) },
		CreateCell:       func() fyne.CanvasObject { return newGridCell(g.side) },
		UpdateCell:       func(id widget.TableCellID, o fyne.CanvasObject) { g.update(id, o.(*gridCell)) },
		ShowHeaderRow:    true,
		ShowHeaderColumn: true,
		CreateHeader:     func() fyne.CanvasObject { return newGridHead() },
		UpdateHeader:     func(id widget.TableCellID, o fyne.CanvasObject) { g.updateHead(id, o.(*gridHead)) },
		OnSelected:       g.selected,
		StickyRowCount:   1, // the first row stays in sight, to compare with
		HideSeparators:   true,
	}
	g.table.SetColumnWidth(-1, labelWidth())
	g.ExtendBaseWidget(g)
	return g
}

// SetRows shows rows; chosen is the step in use, -1 where none is. A row or a column that has come is scrolled to.
func (g *Grid) SetRows(columns []string, rows []GridRow, chosen int) {
	first, more, wider := len(g.rows) == 0, len(rows) > len(g.rows), len(columns) > len(g.columns)
	g.columns, g.rows, g.chosen = slices.Clone(columns), slices.Clone(rows), chosen
	g.table.SetRowHeight(-1, g.headHeight())
	g.table.Refresh()
	switch {
	case first:
		g.showNewest(sameColumn)
		g.table.ScrollToLeading()
	case wider:
		g.showNewest(len(columns) - 1)
	case more:
		g.showNewest(sameColumn)
	}
}

// sameColumn is none that a table would scroll to.
const sameColumn = -1

// showNewest scrolls to a column of the newest row. The table goes no further than the cells that it has drawn, so it is
// asked again when it has drawn all.
func (g *Grid) showNewest(column int) {
	for range 2 {
		g.table.ScrollTo(widget.TableCellID{Row: len(g.rows) - 1, Col: column})
	}
}

// Resize implements fyne.Widget: pictures take the room there is. Where it gets less, as when a text comes above, the newest
// row stays in sight.
func (g *Grid) Resize(size fyne.Size) {
	less := size.Height < g.Size().Height
	g.BaseWidget.Resize(size)
	g.table.SetColumnWidth(-1, labelWidth())
	g.table.SetRowHeight(-1, g.headHeight()) // the text may have another size by now
	g.table.Refresh()
	if less && len(g.rows) > 0 {
		g.showNewest(sameColumn)
	}
}

// side is that of a cell.
func (g *Grid) side() float32 { return g.sideBelow(g.headHeight()) }

// sideBelow is that of a cell below heads of a height.
func (g *Grid) sideBelow(head float32) float32 {
	pad := theme.Padding()
	width := (g.Size().Width-labelWidth()-2*pad)/float32(max(len(g.columns), 1)) - pad
	height := (g.Size().Height-head)/2 - 2*pad // the first row and the newest are seen together
	return min(max(min(width, height), leastCell*(2+TextScale())/3), mostCell)
}

// Focus gives the keyboard to the grid: arrows move, Space opens.
func (g *Grid) Focus(c fyne.Canvas) { c.Focus(g.table) }

func (g *Grid) selected(id widget.TableCellID) {
	g.table.UnselectAll() // so that the same cell can be opened again
	if id.Row >= 0 && id.Col >= 0 && g.path(id) != "" && g.Open != nil {
		g.Open(id.Row, id.Col)
	}
}

// path is a cell's file.
func (g *Grid) path(id widget.TableCellID) string {
	if id.Row >= len(g.rows) || id.Col >= len(g.rows[id.Row].Pictures) {
		return ""
	}
	return g.rows[id.Row].Pictures[id.Col]
}

func (g *Grid) update(id widget.TableCellID, cell *gridCell) {
	cell.tapped = func() { g.selected(id) }
	path := g.path(id)
	if cell.path == path && cell.shown {
		return
	}
	cell.set(path, nil, "")
	if path == "" {
		return
	}
	g.loader.Load(path, func(p image.Image, err error) {
		if cell.path != path {
			return // the cell shows another picture by now
		}
		text := ""
		if err != nil {
			text = err.Error()
		}
		cell.set(path, p, text)
	})
}

func (g *Grid) updateHead(id widget.TableCellID, head *gridHead) {
	switch {
	case id.Row < 0 && id.Col >= 0 && id.Col < len(g.columns):
		var reword func()
		if g.Reword != nil {
			at := id.Col
			reword = func() { g.Reword(at) }
		}
		head.showPrompt(g.columns[id.Col], reword)
	case id.Col < 0 && id.Row >= 0 && id.Row < len(g.rows):
		row := g.rows[id.Row]
		var choose func()
		if g.Choose != nil && row.Step > 0 && row.Step != g.chosen {
			at := id.Row
			choose = func() { g.Choose(at) }
		}
		head.showStep(row.Step, row.Step == g.chosen, choose)
	default:
		head.showPrompt("", nil)
	}
}

// CreateRenderer implements fyne.Widget.
func (g *Grid) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(g.table) }

// gridCell is a picture, or why there is none.
type gridCell struct {
	widget.BaseWidget
	path    string
	shown   bool // the picture of path, or its error
	side    func() float32
	tapped  func()
	last    fyne.Position
	picture *canvas.Image
	text    *widget.Label
}

func newGridCell(side func() float32) *gridCell {
	c := &gridCell{side: side, picture: &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScaleFastest}, text: widget.NewLabel("")}
	c.text.Wrapping, c.text.SizeName = fyne.TextWrapBreak, theme.SizeNameCaptionText
	c.text.Importance = widget.DangerImportance
	c.ExtendBaseWidget(c)
	return c
}

func (c *gridCell) set(path string, picture image.Image, text string) {
	c.path, c.shown = path, picture != nil || text != ""
	c.picture.Image = picture
	c.picture.Refresh()
	c.text.SetText(text)
	if c.text.Hidden = text == ""; text != "" {
		c.text.Show()
	}
}

// Tapped implements fyne.Tappable.
func (c *gridCell) Tapped(*fyne.PointEvent) { c.tapped() }

// Dragged implements fyne.Draggable: a click that slips is a click, as in Steady.
func (c *gridCell) Dragged(e *fyne.DragEvent) { c.last = e.Position }

// DragEnd implements fyne.Draggable.
func (c *gridCell) DragEnd() {
	if s := c.Size(); c.last.X >= 0 && c.last.Y >= 0 && c.last.X < s.Width && c.last.Y < s.Height {
		c.tapped()
	}
}

// CreateRenderer implements fyne.Widget.
func (c *gridCell) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(container.NewPadded(c.picture), c.text))
}

// MinSize is that of all cells, whatever an error says.
func (c *gridCell) MinSize() fyne.Size { return fyne.NewSquareSize(c.side()) }
