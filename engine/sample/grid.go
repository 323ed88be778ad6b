package sample

import (
	"image"
	"image/color"
	"image/draw"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Row is one row of a before/after grid.
type Row struct {
	Label    string        // "step 100"
	Pictures []image.Image // nil leaves a place empty
}

// The grid's look, in pixels.
const (
	gridGap    = 6
	gridMargin = 12
	labelWidth = 76
	fontSize   = 12
	lineHeight = 16
)

var (
	paper = color.NRGBA{250, 249, 246, 255}
	ink   = color.NRGBA{40, 40, 44, 255}
)

// Grid puts rows of pictures together, columns headed by their prompts. Pictures smaller than 128 pixels are enlarged.
func Grid(columns []string, rows []Row) (*image.NRGBA, error) {
	face, err := newFace()
	if err != nil {
		return nil, err
	}
	defer face.Close()
	cell := cellSize(rows)
	headers, lines := make([][]string, len(columns)), 0
	for i, c := range columns {
		headers[i] = wrap(face, c, cell.X)
		lines = max(lines, len(headers[i]))
	}
	top := gridMargin + lines*lineHeight + gridGap
	left := gridMargin + labelWidth
	img := image.NewNRGBA(image.Rect(0, 0, left+len(columns)*(cell.X+gridGap)+gridMargin-gridGap, top+len(rows)*(cell.Y+gridGap)+gridMargin-gridGap))
	draw.Draw(img, img.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	for i, h := range headers {
		for k, line := range h {
			write(img, face, line, left+i*(cell.X+gridGap), gridMargin+(k+lines-len(h))*lineHeight+fontSize)
		}
	}
	for r, row := range rows {
		y := top + r*(cell.Y+gridGap)
		write(img, face, row.Label, gridMargin, y+cell.Y/2+fontSize/2)
		for c, p := range row.Pictures {
			if p == nil {
				continue
			}
			paste(img, p, image.Rect(0, 0, cell.X, cell.Y).Add(image.Pt(left+c*(cell.X+gridGap), y)))
		}
	}
	return img, nil
}

func newFace() (font.Face, error) {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	return opentype.NewFace(f, &opentype.FaceOptions{Size: fontSize, DPI: 72, Hinting: font.HintingFull})
}

// cellSize is the largest picture's size, at least 128 pixels wide.
func cellSize(rows []Row) image.Point {
	var size image.Point
	for _, r := range rows {
		for _, p := range r.Pictures {
			if p == nil {
				continue
			}
			size.X, size.Y = max(size.X, p.Bounds().Dx()), max(size.Y, p.Bounds().Dy())
		}
	}
	if size.X > 0 && size.X < 128 {
		size = size.Mul((128 + size.X - 1) / size.X)
	}
	return size
}

// paste draws p into r, repeating pixels where r is larger.
func paste(dst *image.NRGBA, p image.Image, r image.Rectangle) {
	b := p.Bounds()
	for y := range r.Dy() {
		for x := range r.Dx() {
			dst.Set(r.Min.X+x, r.Min.Y+y, p.At(b.Min.X+x*b.Dx()/r.Dx(), b.Min.Y+y*b.Dy()/r.Dy()))
		}
	}
}

func write(img draw.Image, face font.Face, text string, x, baseline int) {
	d := font.Drawer{Dst: img, Src: image.NewUniform(ink), Face: face, Dot: fixed.P(x, baseline)}
	d.DrawString(text)
}

// wrap breaks text into lines of at most width pixels, at spaces where there are any.
func wrap(face font.Face, text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && font.MeasureString(face, longer).Ceil() > width {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	return append(lines, line)
}
