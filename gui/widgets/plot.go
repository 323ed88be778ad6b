package widgets

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
	"golang.org/x/image/vector"
)

// Point is one value of a Plot.
type Point struct{ X, Y float64 }

// Plot draws values over steps: a band of all of them, and a line that follows them smoothly. Above it stands what lies
// under the pointer.
type Plot struct {
	widget.BaseWidget
	points []Point
	smooth []float64
	end    float64 // of the axis
	hover  float32 // place of the pointer, 0 to 1; below 0 where it is elsewhere
}

var _ desktop.Hoverable = (*Plot)(nil)

// NewPlot makes an empty Plot.
func NewPlot() *Plot {
	p := &Plot{hover: -1}
	p.ExtendBaseWidget(p)
	return p
}

// SetPoints shows points, whose X must rise, on an axis from 0 to end.
func (p *Plot) SetPoints(points []Point, end float64) {
	p.points, p.end = points, end
	p.smooth = smoothed(points)
	p.Refresh()
}

// smoothed is a running mean that weighs about a twentieth of the points, and at its beginning those there are.
func smoothed(points []Point) []float64 {
	weight := 1 / max(float64(len(points))/20, 5)
	out := make([]float64, len(points))
	mean, total := 0.0, 0.0
	for i, p := range points {
		mean, total = mean+weight*(p.Y-mean), total+weight*(1-total)
		out[i] = mean / total
	}
	return out
}

// MouseIn implements desktop.Hoverable.
func (p *Plot) MouseIn(e *desktop.MouseEvent) { p.MouseMoved(e) }

// MouseMoved implements desktop.Hoverable.
func (p *Plot) MouseMoved(e *desktop.MouseEvent) {
	p.hover = e.Position.X / max(p.Size().Width, 1)
	p.Refresh()
}

// MouseOut implements desktop.Hoverable.
func (p *Plot) MouseOut() { p.hover = -1; p.Refresh() }

// Reading says what the plot shows at the pointer, or at its end.
func (p *Plot) Reading() string {
	i := len(p.points) - 1
	if i < 0 {
		return ""
	}
	if p.hover >= 0 {
		x := float64(p.hover) * p.end
		if found, _ := slices.BinarySearchFunc(p.points, x, func(p Point, x float64) int { return int(math.Copysign(1, p.X-x)) }); found < i {
			i = found
		}
	}
	return fmt.Sprintf(lang.L("step %.0f: %.4f, about %.4f"), p.points[i].X, p.points[i].Y, p.smooth[i])
}

// bounds are the least and largest value, apart by something.
func (p *Plot) bounds() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, q := range p.points {
		low, high = min(low, q.Y), max(high, q.Y)
	}
	if len(p.points) == 0 {
		return 0, 1
	}
	return low, max(high, low+1e-9)
}

// draw makes the picture.
func (p *Plot) draw(width, height int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	if len(p.points) == 0 || width < 2 || height < 8 {
		return img
	}
	low, high := p.bounds()
	x := func(v float64) float32 { return float32(v/max(p.end, 1)) * float32(width-1) }
	y := func(v float64) float32 { return 3 + float32((high-v)/(high-low))*float32(height-6) }
	p.drawBand(img, x, y)
	line := make([]fyne.Position, 0, width)
	for i, q := range p.points { // one point a column is enough
		if at := fyne.NewPos(x(q.X), y(p.smooth[i])); len(line) == 0 || at.X >= line[len(line)-1].X+1 || i == len(p.points)-1 {
			line = append(line, at)
		}
	}
	stroke(img, line, 1.2*float32(height)/max(p.Size().Height, 1), theme.Color(theme.ColorNamePrimary))
	return img
}

// drawBand marks in each column the range of the values there.
func (p *Plot) drawBand(img *image.RGBA, x, y func(float64) float32) {
	r, g, b, _ := theme.Color(theme.ColorNamePrimary).RGBA()
	const alpha = 90
	faint := color.RGBA{uint8(r >> 8 * alpha / 255), uint8(g >> 8 * alpha / 255), uint8(b >> 8 * alpha / 255), alpha}
	for i, q := range p.points {
		column := int(x(q.X))
		from, to := y(q.Y), y(q.Y)
		if i > 0 && int(x(p.points[i-1].X)) >= column-2 { // neighbours are joined
			from, to = min(from, y(p.points[i-1].Y)), max(to, y(p.points[i-1].Y))
		}
		for row := int(from); row <= int(to)+1; row++ {
			img.SetRGBA(column, row, faint)
		}
	}
}

// stroke draws a line of a width through points.
func stroke(img *image.RGBA, points []fyne.Position, width float32, c color.Color) {
	if len(points) < 2 {
		return
	}
	b := img.Bounds()
	raster := vector.NewRasterizer(b.Dx(), b.Dy())
	for i := 1; i < len(points); i++ {
		a, z := points[i-1], points[i]
		dx, dy := z.X-a.X, z.Y-a.Y
		length := max(float32(math.Hypot(float64(dx), float64(dy))), 1e-6)
		nx, ny := -dy/length*width, dx/length*width
		raster.MoveTo(a.X+nx, a.Y+ny)
		raster.LineTo(z.X+nx, z.Y+ny)
		raster.LineTo(z.X-nx, z.Y-ny)
		raster.LineTo(a.X-nx, a.Y-ny)
		raster.ClosePath()
	}
	raster.Draw(img, b, image.NewUniform(c), image.Point{})
}

// CreateRenderer implements fyne.Widget.
func (p *Plot) CreateRenderer() fyne.WidgetRenderer {
	r := &plotRenderer{p: p, ground: canvas.NewRectangle(nil), raster: canvas.NewRaster(p.draw), cursor: canvas.NewRectangle(nil),
		reading: canvas.NewText("", nil), top: canvas.NewText("", nil), bottom: canvas.NewText("", nil), last: canvas.NewText("", nil)}
	r.Refresh()
	return r
}

type plotRenderer struct {
	p                          *Plot
	ground, cursor             *canvas.Rectangle
	raster                     *canvas.Raster
	reading, top, bottom, last *canvas.Text
}

// leastPlot is the height of what is between the texts.
const leastPlot = 84

func (r *plotRenderer) MinSize() fyne.Size {
	return fyne.NewSize(160, leastPlot+r.reading.MinSize().Height+r.last.MinSize().Height+2*theme.Padding())
}

func (r *plotRenderer) Layout(size fyne.Size) {
	pad, indent := theme.Padding(), theme.InnerPadding() // texts begin and end where those of labels do
	head := r.reading.MinSize().Height
	foot := r.last.MinSize().Height
	at, inner := fyne.NewPos(0, head+pad), fyne.NewSize(size.Width, max(size.Height-head-foot-2*pad, 1))
	r.reading.Move(fyne.NewPos(indent, 0))
	r.reading.Resize(fyne.NewSize(size.Width, head))
	for _, o := range []fyne.CanvasObject{r.ground, r.raster} {
		o.Move(at)
		o.Resize(inner)
	}
	r.cursor.Move(at.AddXY(r.p.hover*size.Width, 0))
	r.cursor.Resize(fyne.NewSize(1, inner.Height))
	r.top.Move(at.AddXY(indent, 0))
	r.bottom.Move(at.AddXY(indent, inner.Height-r.bottom.MinSize().Height))
	r.last.Move(fyne.NewPos(size.Width-indent-r.last.MinSize().Width, at.Y+inner.Height+pad))
}

func (r *plotRenderer) Refresh() {
	p := r.p
	r.ground.FillColor, r.ground.CornerRadius = theme.Color(theme.ColorNameInputBackground), theme.InputRadiusSize()
	r.cursor.FillColor = theme.Color(theme.ColorNameForeground)
	r.cursor.Hidden = p.hover < 0 || len(p.points) == 0
	low, high := p.bounds()
	texts := map[*canvas.Text]string{r.reading: p.Reading()}
	if len(p.points) > 0 {
		texts[r.top], texts[r.bottom], texts[r.last] = fmt.Sprintf("%.3f", high), fmt.Sprintf("%.3f", low), fmt.Sprintf(lang.L("%.0f steps"), p.end)
	}
	for _, t := range []*canvas.Text{r.reading, r.top, r.bottom, r.last} {
		t.Text, t.TextSize, t.Color = texts[t], theme.CaptionTextSize(), theme.Color(theme.ColorNameForeground)
	}
	r.Layout(p.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *plotRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.raster, r.cursor, r.top, r.bottom, r.reading, r.last}
}

func (r *plotRenderer) Destroy() {}
