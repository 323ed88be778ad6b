package pictures

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	easel "easel/gui/theme"
)

// cropView shows a picture with the part that is trained on. One moves the part by dragging, or by keys.
type cropView struct {
	widget.BaseWidget
	changed func(engine.Crop) // when a move has ended

	info    engine.PictureInfo
	picture *canvas.Image
	shades  [4]*canvas.Rectangle // over what is cut off: left, right, above, below
	frame   *canvas.Rectangle
	focused bool
}

var (
	_ fyne.Draggable = (*cropView)(nil)
	_ fyne.Focusable = (*cropView)(nil)
	_ fyne.Tappable  = (*cropView)(nil)
)

func newCropView(changed func(engine.Crop)) *cropView {
	v := &cropView{changed: changed, picture: &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScaleFastest}, frame: canvas.NewRectangle(nil)}
	for i := range v.shades {
		v.shades[i] = canvas.NewRectangle(nil)
	}
	v.frame.StrokeWidth = 2
	v.ExtendBaseWidget(v)
	return v
}

// show shows a picture; pixels may come later.
func (v *cropView) show(info engine.PictureInfo) {
	if v.info.Path != info.Path || v.info.Thumbnail != info.Thumbnail {
		v.picture.Image = nil
	}
	v.info = info
	v.Refresh()
}

func (v *cropView) setPixels(pixels *image.RGBA) {
	v.picture.Image = pixels
	v.Refresh()
}

// shown is where in the widget the picture lies.
func (v *cropView) shown() (at fyne.Position, size fyne.Size) {
	all := v.Size()
	if v.info.Width < 1 || v.info.Height < 1 {
		return fyne.Position{}, all
	}
	ratio := float32(v.info.Width) / float32(v.info.Height)
	size = fyne.NewSize(all.Width, all.Width/ratio)
	if size.Height > all.Height {
		size = fyne.NewSize(all.Height*ratio, all.Height)
	}
	return fyne.NewPos((all.Width-size.Width)/2, (all.Height-size.Height)/2), size
}

// part is the part that is trained on, and by how much it can be moved in all.
func (v *cropView) part() (at fyne.Position, size, room fyne.Size) {
	origin, whole := v.shown()
	if v.info.BucketWidth < 1 || v.info.BucketHeight < 1 {
		return origin, whole, fyne.Size{}
	}
	ratio := float32(v.info.BucketWidth) / float32(v.info.BucketHeight)
	size = fyne.NewSize(whole.Width, whole.Width/ratio)
	if size.Height > whole.Height {
		size = fyne.NewSize(whole.Height*ratio, whole.Height)
	}
	room = whole.Subtract(size)
	move := func(room float32, by float64) float32 { return room * float32(1+by) / 2 }
	return origin.AddXY(move(room.Width, v.info.Crop.X), move(room.Height, v.info.Crop.Y)), size, room
}

// moveBy moves the part by a distance in the widget.
func (v *cropView) moveBy(dx, dy float32) {
	_, _, room := v.part()
	shift := func(crop float64, d, room float32) float64 {
		if room < 1 {
			return crop
		}
		return min(max(crop+float64(2*d/room), -1), 1)
	}
	v.info.Crop = engine.Crop{X: shift(v.info.Crop.X, dx, room.Width), Y: shift(v.info.Crop.Y, dy, room.Height)}
	v.Refresh()
}

// Dragged implements fyne.Draggable.
func (v *cropView) Dragged(e *fyne.DragEvent) { v.moveBy(e.Dragged.DX, e.Dragged.DY) }

// DragEnd implements fyne.Draggable.
func (v *cropView) DragEnd() { v.changed(v.info.Crop) }

// Tapped implements fyne.Tappable: keys move the part from now on.
func (v *cropView) Tapped(*fyne.PointEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(v); c != nil {
		c.Focus(v)
	}
}

// FocusGained implements fyne.Focusable.
func (v *cropView) FocusGained() { v.focused = true; v.Refresh() }

// FocusLost implements fyne.Focusable.
func (v *cropView) FocusLost() { v.focused = false; v.Refresh() }

// TypedRune implements fyne.Focusable.
func (v *cropView) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (v *cropView) TypedKey(e *fyne.KeyEvent) {
	const step = 4
	switch e.Name {
	case fyne.KeyLeft:
		v.moveBy(-step, 0)
	case fyne.KeyRight:
		v.moveBy(step, 0)
	case fyne.KeyUp:
		v.moveBy(0, -step)
	case fyne.KeyDown:
		v.moveBy(0, step)
	default:
		return
	}
	v.changed(v.info.Crop)
}

// CreateRenderer implements fyne.Widget.
func (v *cropView) CreateRenderer() fyne.WidgetRenderer { return &cropRenderer{v} }

type cropRenderer struct{ *cropView }

func (r *cropRenderer) Destroy() {}

func (r *cropRenderer) MinSize() fyne.Size { return fyne.NewSize(220, 180) }

func (r *cropRenderer) Layout(fyne.Size) {
	put := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(max(w, 0), max(h, 0)))
	}
	origin, whole := r.shown()
	at, size, _ := r.part()
	right, below := at.X+size.Width, at.Y+size.Height
	put(r.picture, origin.X, origin.Y, whole.Width, whole.Height)
	put(r.shades[0], origin.X, origin.Y, at.X-origin.X, whole.Height)
	put(r.shades[1], right, origin.Y, origin.X+whole.Width-right, whole.Height)
	put(r.shades[2], at.X, origin.Y, size.Width, at.Y-origin.Y)
	put(r.shades[3], at.X, below, size.Width, origin.Y+whole.Height-below)
	put(r.frame, at.X, at.Y, size.Width, size.Height)
}

func (r *cropRenderer) Refresh() {
	th, variant := r.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	for _, s := range r.shades {
		s.FillColor = th.Color(easel.ColorNameShade, variant)
		s.Hidden = !r.info.Usable
	}
	r.frame.StrokeColor = th.Color(theme.ColorNamePrimary, variant)
	r.frame.StrokeWidth = 2
	if r.focused {
		r.frame.StrokeWidth = 4
	}
	r.frame.Hidden = !r.info.Usable
	r.Layout(r.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *cropRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.picture, r.shades[0], r.shades[1], r.shades[2], r.shades[3], r.frame}
}
