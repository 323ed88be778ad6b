package pictures

import (
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	easel "easel/gui/theme"
)

// tileSide is that of the picture in a tile, in Fyne's units.
const tileSide = 132

// tile shows a picture of the grid. The grid uses a tile for one picture after the other, so it keeps no state but what
// it shows.
type tile struct {
	widget.BaseWidget
	pressed func(name string, modifier fyne.KeyModifier)

	name    string
	ground  *canvas.Rectangle
	picture *canvas.Image
	frame   *canvas.Rectangle // of the selected
	focus   *canvas.Rectangle // of the one that keys move from
	mark    *canvas.Image     // tells that it is selected, beside the frame's colour
	badge   *canvas.Image     // tells that it wants attention
	caption *widget.Label
}

var _ desktop.Mouseable = (*tile)(nil)

func newTile(pressed func(string, fyne.KeyModifier)) *tile {
	t := &tile{pressed: pressed, ground: canvas.NewRectangle(nil), picture: &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScaleFastest},
		frame: canvas.NewRectangle(nil), focus: canvas.NewRectangle(nil), mark: &canvas.Image{FillMode: canvas.ImageFillContain},
		badge: &canvas.Image{FillMode: canvas.ImageFillContain}, caption: widget.NewLabel("")}
	t.ground.CornerRadius, t.frame.CornerRadius, t.focus.CornerRadius = 6, 6, 6
	t.frame.StrokeWidth, t.focus.StrokeWidth = 3, 1
	t.caption.SizeName, t.caption.Truncation = theme.SizeNameCaptionText, fyne.TextTruncateEllipsis
	t.caption.Alignment = fyne.TextAlignCenter
	t.ExtendBaseWidget(t)
	return t
}

// show has the tile show a picture.
func (t *tile) show(p engine.PictureInfo, pixels *image.RGBA, selected, focused bool) {
	t.name = p.Name
	t.setPixels(pixels)
	t.badge.Resource = badgeOf(p)
	t.badge.Hidden = t.badge.Resource == nil
	t.mark.Resource = easel.ColoredIcon("check", theme.ColorNamePrimary)
	t.frame.Hidden, t.mark.Hidden, t.focus.Hidden = !selected, !selected, !focused
	t.caption.Importance, t.caption.Text = widget.MediumImportance, p.Caption
	if p.Caption == "" {
		t.caption.Importance, t.caption.Text = widget.LowImportance, p.Name
	}
	t.Refresh()
}

func (t *tile) setPixels(pixels *image.RGBA) {
	t.picture.Image = nil
	if pixels != nil {
		t.picture.Image = pixels
	}
}

// badgeOf is the icon for what is to be said about a picture.
func badgeOf(p engine.PictureInfo) fyne.Resource {
	switch {
	case p.Pending:
		return nil
	case !p.Usable:
		return easel.ColoredIcon("bad", theme.ColorNameError)
	case wantsAttention(p):
		return easel.ColoredIcon("warning", theme.ColorNameWarning)
	case len(p.Issues) > 0:
		return easel.ColoredIcon("note", theme.ColorNamePlaceHolder)
	}
	return nil
}

// MouseDown selects at once, as file managers do; a tap would be lost when the pointer slips (Fyne issue 4672).
func (t *tile) MouseDown(e *desktop.MouseEvent) { t.pressed(t.name, e.Modifier) }

// MouseUp implements desktop.Mouseable.
func (t *tile) MouseUp(*desktop.MouseEvent) {}

// CreateRenderer implements fyne.Widget.
func (t *tile) CreateRenderer() fyne.WidgetRenderer { return &tileRenderer{t} }

type tileRenderer struct{ *tile }

func (r *tileRenderer) Destroy() {}

func (r *tileRenderer) MinSize() fyne.Size {
	return fyne.NewSize(tileSide+2*easel.Near, tileSide+easel.Near+r.caption.MinSize().Height)
}

func (r *tileRenderer) Layout(size fyne.Size) {
	put := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, h))
	}
	label := r.caption.MinSize().Height
	put(r.ground, 2, 2, size.Width-4, size.Height-4)
	put(r.frame, 2, 2, size.Width-4, size.Height-4)
	put(r.focus, 5, 5, size.Width-10, size.Height-10)
	put(r.picture, easel.Near, easel.Near, size.Width-2*easel.Near, size.Height-easel.Near-label)
	put(r.caption, easel.Tight, size.Height-label, size.Width-2*easel.Tight, label)
	const icon = 22
	put(r.badge, size.Width-icon-easel.Near, easel.Near, icon, icon)
	put(r.mark, easel.Near, easel.Near, icon, icon)
}

func (r *tileRenderer) Refresh() {
	th, variant := r.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	r.ground.FillColor = th.Color(easel.ColorNameCard, variant)
	r.frame.StrokeColor = th.Color(theme.ColorNamePrimary, variant)
	r.frame.FillColor = th.Color(theme.ColorNameSelection, variant)
	r.focus.StrokeColor = th.Color(theme.ColorNameForeground, variant)
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *tileRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.frame, r.picture, r.caption, r.badge, r.mark, r.focus}
}
