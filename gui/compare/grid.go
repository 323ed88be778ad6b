package compare

import (
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/gui/post"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// grid shows the pictures of all methods: a column a prompt, a row a method, above them the untrained model's.
type grid struct {
	object *fyne.Container
	layout *gridLayout
	loader *widgets.Loader
	open   func(row, column int)
	reveal func(fyne.CanvasObject) // scrolls to a cell that gets the keyboard

	columns []string
	lines   []*gridLine
}

// gridLine is a row.
type gridLine struct {
	title, status *widget.Label
	cells         []*cell
}

const (
	cellPixels = 256
	mostCells  = 120 // pictures that are kept: at most 30 MB
)

func newGrid(run post.Func, open func(row, column int), reveal func(fyne.CanvasObject)) *grid {
	g := &grid{layout: &gridLayout{}, loader: widgets.NewLoader(run, cellPixels, mostCells), open: open, reveal: reveal}
	g.object = container.New(g.layout)
	return g
}

// show shows rows; only what differs is drawn anew.
func (g *grid) show(columns []string, lines []line) {
	if !slices.Equal(columns, g.columns) || len(lines) != len(g.lines) {
		g.build(columns, len(lines))
	}
	for row, l := range lines {
		widgets.SetText(g.lines[row].title, l.title)
		widgets.SetText(g.lines[row].status, l.status)
		for column, c := range g.lines[row].cells {
			path := ""
			if column < len(l.pictures) {
				path = l.pictures[column]
			}
			c.show(path, g.loader)
		}
	}
}

// build makes a grid of empty cells.
func (g *grid) build(columns []string, rows int) {
	g.columns, g.lines = slices.Clone(columns), nil
	g.layout.columns = len(columns)
	objects := []fyne.CanvasObject{canvas.NewRectangle(color.Transparent)}
	for _, prompt := range columns {
		head := widgets.Quiet(prompt)
		head.Alignment = fyne.TextAlignCenter
		objects = append(objects, head)
	}
	for row := range rows {
		l := &gridLine{title: widgets.Wrapped(""), status: widgets.Quiet("")}
		l.title.TextStyle.Bold = true
		objects = append(objects, container.New(labelLayout{}, l.title, l.status))
		for column := range columns {
			c := newCell(func() { g.open(row, column) }, func(name fyne.KeyName) { g.move(row, column, name) }, g.reveal)
			l.cells = append(l.cells, c)
			objects = append(objects, c)
		}
		g.lines = append(g.lines, l)
	}
	g.object.Objects = objects
	g.object.Refresh()
}

// move gives the keyboard to the neighbour that an arrow points at.
func (g *grid) move(row, column int, name fyne.KeyName) {
	switch name {
	case fyne.KeyUp:
		row--
	case fyne.KeyDown:
		row++
	case fyne.KeyLeft:
		column--
	case fyne.KeyRight:
		column++
	}
	g.focus(row, column)
}

// focus gives the keyboard to a cell, where there is such a one.
func (g *grid) focus(row, column int) {
	if row < 0 || row >= len(g.lines) || column < 0 || column >= len(g.lines[row].cells) {
		return
	}
	c := g.lines[row].cells[column]
	if canvas := fyne.CurrentApp().Driver().CanvasForObject(c); canvas != nil {
		canvas.Focus(c)
	}
}

// gridLayout lays a corner and the heads of the columns, then for each row its label and its cells, which share the width.
type gridLayout struct {
	columns int
	width   float32 // that was laid out last
}

const mostSide = 200

// headOverlap is by how much a head, whose label has room around its text, is wider at each side than its pictures.
func headOverlap() float32 { return fynetheme.InnerPadding() }

// label is the width of the rows' labels: that of the longest word in a method's name.
func (*gridLayout) label() float32 {
	word := fyne.MeasureText("Hypernetwork", fynetheme.TextSize(), fyne.TextStyle{Bold: true})
	return word.Width + 2*fynetheme.InnerPadding()
}

// side is that of a cell.
func (l *gridLayout) side() float32 {
	n := float32(max(l.columns, 1))
	return min(max((l.width-l.label())/n-theme.Tight, 40), mostSide)
}

// heights are those of the heads and of each row.
func (l *gridLayout) heights(objects []fyne.CanvasObject) (heights []float32) {
	for i := 0; i < len(objects); i += l.columns + 1 {
		height := objects[i].MinSize().Height
		for _, o := range objects[i+1 : i+1+l.columns] {
			if i == 0 {
				height = max(height, o.MinSize().Height)
			} else {
				height = max(height, l.side())
			}
		}
		heights = append(heights, height)
	}
	return heights
}

// Layout implements fyne.Layout.
func (l *gridLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	label, side := l.label(), l.side()
	for i, o := range objects { // their texts wrap at this width
		switch column := i % (l.columns + 1); {
		case column == 0:
			o.Resize(fyne.NewSize(label, o.Size().Height))
		case i <= l.columns:
			o.Resize(fyne.NewSize(side+2*headOverlap(), o.Size().Height))
		}
	}
	y := float32(0)
	for row, height := range l.heights(objects) {
		for column := range l.columns + 1 {
			o := objects[row*(l.columns+1)+column]
			switch {
			case column == 0:
				o.Move(fyne.NewPos(0, y))
				o.Resize(fyne.NewSize(label, height))
				continue
			case row == 0: // on the pictures
				o.Resize(fyne.NewSize(side+2*headOverlap(), o.MinSize().Height))
				o.Move(fyne.NewPos(label+float32(column-1)*(side+theme.Tight)-headOverlap(), y+height-o.MinSize().Height))
			default:
				o.Resize(fyne.NewSquareSize(side))
				o.Move(fyne.NewPos(label+float32(column-1)*(side+theme.Tight), y))
			}
		}
		y += height + theme.Tight
	}
}

// MinSize implements fyne.Layout.
func (l *gridLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(l.label()+float32(l.columns)*(40+theme.Tight), 0)
	for _, height := range l.heights(objects) {
		size.Height += height + theme.Tight
	}
	return size
}

// labelLayout lays texts below each other, closer than a box would.
type labelLayout struct{}

// Layout implements fyne.Layout.
func (labelLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := float32(0)
	for _, o := range objects {
		o.Resize(fyne.NewSize(size.Width, o.Size().Height))
		height := o.MinSize().Height
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, height))
		y += height - labelRoom()
	}
}

// MinSize implements fyne.Layout.
func (labelLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(40, labelRoom())
	for _, o := range objects {
		size.Height += o.MinSize().Height - labelRoom()
	}
	return size
}

// labelRoom is what two labels keep less between them than they would.
func labelRoom() float32 { return 2*fynetheme.InnerPadding() - theme.Tight }
