package pictures

import (
	"image"
	"image/color"
	"math"

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

// tilePixels is how many pixels that is on a screen.
func tilePixels(scale float32) int { return int(math.Ceil(float64(tileSide * scale))) }

// tile shows a picture of the grid. The grid uses a tile for one picture after the other, so it keeps no state but what
// it shows. It is drawn with plain shapes and draws only what changes: dozens of tiles change at once.
type tile struct {
	widget.BaseWidget
	pressed func(name string, modifier fyne.KeyModifier)

	shown   look
	name    string
	usable  bool // or not looked at yet
	ground  *canvas.Rectangle
	picture *canvas.Image
	frame   *canvas.Rectangle // of the selected
	focus   *canvas.Rectangle // of the one that keys move from
	plate   *canvas.Circle    // below the badge, which must be seen on any picture
	under   *canvas.Circle    // the same below the mark
	mark    *canvas.Image     // tells that it is selected, beside the frame's colour
	badge   *canvas.Image     // tells that it wants attention
	caption *canvas.Text
}

var _ desktop.Mouseable = (*tile)(nil)

// look is all that a tile shows.
type look struct {
	text              string
	named             bool // text is the file's name, for want of a caption
	badge             fyne.Resource
	pixels            *image.RGBA
	selected, focused bool
}

// The icons on tiles.
var (
	markIcon    = easel.ColoredIcon("check", theme.ColorNamePrimary)
	badIcon     = easel.ColoredIcon("bad", theme.ColorNameError)
	warningIcon = easel.ColoredIcon("warning", theme.ColorNameWarning)
	noteIcon    = easel.ColoredIcon("note", theme.ColorNamePlaceHolder)
)

func newTile(pressed func(string, fyne.KeyModifier)) *tile {
	t := &tile{pressed: pressed, ground: canvas.NewRectangle(nil), picture: &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScaleFastest},
		frame: canvas.NewRectangle(nil), plate: canvas.NewCircle(nil), under: canvas.NewCircle(nil), focus: canvas.NewRectangle(nil), mark: &canvas.Image{FillMode: canvas.ImageFillContain},
		badge: &canvas.Image{FillMode: canvas.ImageFillContain}, caption: canvas.NewText("", nil)}
	t.ground.CornerRadius, t.frame.CornerRadius, t.focus.CornerRadius = 6, 6, 6
	t.frame.StrokeWidth, t.focus.StrokeWidth = 3, 1
	t.frame.Hidden, t.focus.Hidden, t.mark.Hidden, t.badge.Hidden = true, true, true, true
	t.caption.Alignment = fyne.TextAlignCenter
	t.ExtendBaseWidget(t)
	return t
}

// show has the tile show a picture.
func (t *tile) show(p engine.PictureInfo, pixels *image.RGBA, selected, focused bool) {
	t.name, t.usable = p.Name, p.Usable || p.Pending
	next := look{p.Caption, p.Caption == "", badgeOf(p), pixels, selected, focused}
	if next.named {
		next.text = p.Name
	}
	if next != t.shown {
		t.shown = next
		t.Refresh()
	}
}

func (t *tile) setPixels(pixels *image.RGBA) {
	t.shown.pixels = pixels
	t.picture.Image = pixels
	t.picture.Refresh()
}

// badgeOf is the icon for what is to be said about a picture.
func badgeOf(p engine.PictureInfo) fyne.Resource {
	switch {
	case p.Pending:
		return nil
	case !p.Usable:
		return badIcon
	case wantsAttention(p):
		return warningIcon
	case len(p.Issues) > 0:
		return noteIcon
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
	return fyne.NewSize(tileSide+2*easel.Near, tileSide+easel.Near+r.labelHeight())
}

func (r *tileRenderer) labelHeight() float32 {
	return r.Theme().Size(theme.SizeNameCaptionText)*1.4 + 3*easel.Tight
}

func (r *tileRenderer) Layout(size fyne.Size) {
	put := func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, h))
	}
	label := r.labelHeight()
	put(r.ground, 2, 2, size.Width-4, size.Height-4)
	put(r.frame, 2, 2, size.Width-4, size.Height-4)
	put(r.focus, 5, 5, size.Width-10, size.Height-10)
	put(r.picture, easel.Near, easel.Near, size.Width-2*easel.Near, size.Height-easel.Near-label)
	put(r.caption, easel.Near, size.Height-label, size.Width-2*easel.Near, label-easel.Tight) // above the focus' line
	const icon = 22
	put(r.badge, size.Width-icon-easel.Near, easel.Near, icon, icon)
	if !r.usable { // instead of the picture
		const large = 48
		put(r.badge, (size.Width-large)/2, (size.Height-large)/2-easel.Near, large, large)
	}
	put(r.plate, size.Width-icon-easel.Near-3, easel.Near-3, icon+6, icon+6)
	put(r.mark, easel.Near, easel.Near, icon, icon)
	put(r.under, easel.Near-3, easel.Near-3, icon+6, icon+6)
}

func (r *tileRenderer) Refresh() {
	th, variant := r.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	color := func(name fyne.ThemeColorName) color.Color { return th.Color(name, variant) }
	r.ground.FillColor = color(easel.ColorNameCard)
	r.frame.StrokeColor, r.frame.FillColor = color(theme.ColorNamePrimary), color(theme.ColorNameSelection)
	r.focus.StrokeColor = color(theme.ColorNameForeground)
	r.plate.FillColor, r.under.FillColor = color(easel.ColorNameCard), color(easel.ColorNameCard)
	r.under.Hidden = !r.shown.selected
	r.plate.Hidden = r.shown.badge == nil || !r.usable
	r.caption.Color = color(theme.ColorNameForeground)
	if r.shown.named && !r.shown.selected {
		r.caption.Color = color(theme.ColorNamePlaceHolder)
	}
	r.caption.TextSize = th.Size(theme.SizeNameCaptionText)
	r.caption.Text = shorten(r.shown.text, r.caption.TextSize, tileSide)
	r.frame.Hidden, r.focus.Hidden = !r.shown.selected, !r.shown.focused
	r.picture.Image = nil
	if r.shown.pixels != nil {
		r.picture.Image = r.shown.pixels
	}
	for _, o := range []fyne.CanvasObject{r.ground, r.frame, r.focus, r.caption, r.picture, r.plate, r.under} {
		o.Refresh()
	}
	r.Layout(r.Size())
	setIcon(r.mark, markIcon, r.shown.selected)
	setIcon(r.badge, r.shown.badge, r.shown.badge != nil)
}

// setIcon shows an icon, or hides it without drawing it.
func setIcon(at *canvas.Image, icon fyne.Resource, visible bool) {
	at.Hidden = !visible
	if visible {
		at.Resource = icon
		at.Refresh()
	}
}

// shorten cuts a text to a width, and shows that it did.
func shorten(text string, size, width float32) string {
	fits := func(s string) bool { return fyne.MeasureText(s, size, fyne.TextStyle{}).Width <= width }
	const widest = 60 // characters, of any text that could fit
	if text = firstRunes(text, widest); fits(text) {
		return text
	}
	low, high := 0, len([]rune(text))
	for low+1 < high {
		if middle := (low + high) / 2; fits(firstRunes(text, middle) + "…") {
			low = middle
		} else {
			high = middle
		}
	}
	return firstRunes(text, low) + "…"
}

func (r *tileRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.frame, r.picture, r.caption, r.plate, r.badge, r.under, r.mark, r.focus}
}
