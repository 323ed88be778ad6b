package widgets

import (
	"image"
	"image/color"
	"image/draw"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Compare shows two pictures of one size in the same place: the first left of a divider that can be dragged, the second
// right of it. With the focus on it, ← and → move the divider, Home and End show one picture alone, and Space changes
// between the two.
type Compare struct {
	widget.BaseWidget
	// OnKey gets the keys that mean nothing here, such as Escape; nil ignores them.
	OnKey func(fyne.KeyName)

	before, after image.Image
	names         [2]string
	at            float32 // the divider's place, 0 to 1
	focused       bool
}

var (
	_ fyne.Focusable     = (*Compare)(nil)
	_ fyne.Draggable     = (*Compare)(nil)
	_ fyne.Tappable      = (*Compare)(nil)
	_ desktop.Cursorable = (*Compare)(nil)
)

// NewCompare makes a Compare without pictures. The names stand in the pictures' corners.
func NewCompare(before, after string) *Compare {
	c := &Compare{names: [2]string{before, after}, at: 0.5}
	c.ExtendBaseWidget(c)
	return c
}

// SetPictures shows two pictures; nil is an empty place. The divider stays where it is.
func (c *Compare) SetPictures(before, after image.Image) {
	c.before, c.after = before, after
	c.Refresh()
}

// SetNames changes what stands in the corners.
func (c *Compare) SetNames(before, after string) {
	c.names = [2]string{before, after}
	c.Refresh()
}

// Divider is where the first picture ends: 0 shows the second alone, 1 the first.
func (c *Compare) Divider() float32 { return c.at }

// SetDivider moves the divider.
func (c *Compare) SetDivider(at float32) {
	c.at = min(max(at, 0), 1)
	c.Refresh()
}

// Tapped implements fyne.Tappable.
func (c *Compare) Tapped(e *fyne.PointEvent) {
	if canvas := fyne.CurrentApp().Driver().CanvasForObject(c); canvas != nil {
		canvas.Focus(c)
	}
	c.moveTo(e.Position)
}

// Dragged implements fyne.Draggable.
func (c *Compare) Dragged(e *fyne.DragEvent) { c.moveTo(e.Position) }

// DragEnd implements fyne.Draggable.
func (c *Compare) DragEnd() {}

func (c *Compare) moveTo(p fyne.Position) {
	if place, size := c.fitted(c.Size()); size.Width > 0 {
		c.SetDivider((p.X - place.X) / size.Width)
	}
}

// Cursor implements desktop.Cursorable.
func (c *Compare) Cursor() desktop.Cursor { return desktop.HResizeCursor }

// FocusGained implements fyne.Focusable.
func (c *Compare) FocusGained() { c.focused = true; c.Refresh() }

// FocusLost implements fyne.Focusable.
func (c *Compare) FocusLost() { c.focused = false; c.Refresh() }

// TypedRune implements fyne.Focusable.
func (c *Compare) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (c *Compare) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyLeft:
		c.SetDivider(c.at - 0.05)
	case fyne.KeyRight:
		c.SetDivider(c.at + 0.05)
	case fyne.KeyHome:
		c.SetDivider(0)
	case fyne.KeyEnd:
		c.SetDivider(1)
	case fyne.KeySpace:
		c.SetDivider(1 - float32(int(c.at+0.5))) // the other one, whole
	default:
		if c.OnKey != nil {
			c.OnKey(e.Name)
		}
		if e.Name == fyne.KeyF1 {
			PassKey(c, e)
		}
	}
}

// Shown is the picture as it is drawn: the first left of the divider, the second right of it; nil without pictures.
func (c *Compare) Shown() *image.RGBA {
	bounds := c.bounds()
	if bounds.Empty() {
		return nil
	}
	shown := image.NewRGBA(bounds)
	divider := int(c.at*float32(bounds.Dx()) + 0.5)
	paste := func(from image.Image, left, right int) {
		if from != nil {
			draw.Draw(shown, image.Rect(left, 0, right, bounds.Dy()), from, from.Bounds().Min.Add(image.Pt(left, 0)), draw.Src)
		}
	}
	paste(c.before, 0, divider)
	paste(c.after, divider, bounds.Dx())
	return shown
}

// bounds are those of the larger picture, from 0.
func (c *Compare) bounds() (r image.Rectangle) {
	for _, p := range []image.Image{c.before, c.after} {
		if p != nil {
			r = r.Union(image.Rectangle{Max: p.Bounds().Size()})
		}
	}
	return r
}

// fitted is where the pictures lie in a widget of some size, aspect kept.
func (c *Compare) fitted(in fyne.Size) (fyne.Position, fyne.Size) {
	b := c.bounds()
	if b.Empty() {
		return fyne.Position{}, fyne.Size{}
	}
	scale := min(in.Width/float32(b.Dx()), in.Height/float32(b.Dy()))
	size := fyne.NewSize(float32(b.Dx())*scale, float32(b.Dy())*scale)
	return fyne.NewPos((in.Width-size.Width)/2, (in.Height-size.Height)/2), size
}

// CreateRenderer implements fyne.Widget.
func (c *Compare) CreateRenderer() fyne.WidgetRenderer {
	r := &compareRenderer{c: c, picture: &canvas.Image{ScaleMode: canvas.ImageScaleFastest, FillMode: canvas.ImageFillStretch},
		line: canvas.NewRectangle(nil), handle: canvas.NewCircle(nil), focus: canvas.NewRectangle(color.Transparent)}
	for i := range r.names {
		r.names[i], r.plates[i] = canvas.NewText("", nil), canvas.NewRectangle(nil)
	}
	r.Refresh()
	return r
}

type compareRenderer struct {
	c       *Compare
	picture *canvas.Image
	line    *canvas.Rectangle
	handle  *canvas.Circle
	focus   *canvas.Rectangle
	names   [2]*canvas.Text
	plates  [2]*canvas.Rectangle // behind the names
}

func (r *compareRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(128) }

func (r *compareRenderer) Layout(size fyne.Size) {
	place, fit := r.c.fitted(size)
	r.picture.Move(place)
	r.picture.Resize(fit)
	r.focus.Move(place)
	r.focus.Resize(fit)
	x := place.X + r.c.at*fit.Width
	r.line.Move(fyne.NewPos(x-1, place.Y))
	r.line.Resize(fyne.NewSize(2, fit.Height))
	const radius = 9
	r.handle.Move(fyne.NewPos(x-radius, place.Y+fit.Height/2-radius))
	r.handle.Resize(fyne.NewSquareSize(2 * radius))
	pad := theme.Padding()
	for i, name := range r.names {
		text := name.MinSize()
		at := fyne.NewPos(place.X+2*pad, place.Y+2*pad)
		if i == 1 {
			at.X = place.X + fit.Width - text.Width - 2*pad
		}
		name.Move(at)
		name.Resize(text)
		r.plates[i].Move(at.SubtractXY(pad, pad/2))
		r.plates[i].Resize(text.AddWidthHeight(2*pad, pad))
	}
}

func (r *compareRenderer) Refresh() {
	shown := r.c.Shown()
	r.picture.Image = nil
	if shown != nil {
		r.picture.Image = shown
	}
	r.line.FillColor = theme.Color(theme.ColorNameBackground)
	r.handle.FillColor = theme.Color(theme.ColorNamePrimary)
	r.handle.StrokeColor, r.handle.StrokeWidth = theme.Color(theme.ColorNameBackground), 2
	r.focus.StrokeWidth = 0
	if r.c.focused {
		r.focus.StrokeColor, r.focus.StrokeWidth = theme.Color(theme.ColorNamePrimary), 2
	}
	for i, name := range r.names {
		name.Text, name.Color, name.TextSize = r.c.names[i], theme.Color(theme.ColorNameForeground), theme.CaptionTextSize()
		r.plates[i].FillColor, r.plates[i].CornerRadius = theme.Color(theme.ColorNameBackground), theme.InputRadiusSize()
		// A name is hidden while its picture is.
		hidden := shown == nil || name.Text == "" || i == 0 && r.c.at < 0.2 || i == 1 && r.c.at > 0.8
		name.Hidden, r.plates[i].Hidden = hidden, hidden
	}
	for _, o := range []fyne.CanvasObject{r.line, r.handle} {
		Show(o, shown != nil)
	}
	r.Layout(r.c.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *compareRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.picture, r.line, r.handle, r.plates[0], r.names[0], r.plates[1], r.names[1], r.focus}
}

func (r *compareRenderer) Destroy() {}
