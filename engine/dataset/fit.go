package dataset

import (
	"image"

	"github.com/disintegration/imaging"
)

// OnWhite composites a picture over white, in sRGB values, so that every pixel is opaque. An opaque picture is
// returned as it is.
func OnWhite(img *image.NRGBA) *image.NRGBA {
	if img.Opaque() {
		return img
	}
	out := imaging.Clone(img)
	for i := 0; i+3 < len(out.Pix); i += 4 {
		alpha := int(out.Pix[i+3])
		for c := i; c < i+3; c++ {
			out.Pix[c] = byte((int(out.Pix[c])*alpha + 255*(255-alpha) + 127) / 255)
		}
		out.Pix[i+3] = 255
	}
	return out
}

// longest is how far a scaled picture may stick out of its bucket, in bucket sides, before it is cut.
const longest = 8

// Fit scales a picture with a Lanczos filter until it just covers size, and cuts the middle out.
func Fit(img image.Image, size image.Point) *image.NRGBA { return View{}.fit(img, size) }

// View is a form in which a picture is seen.
type View struct {
	Flip  bool    // mirrored, left to right
	Shift float64 // of the cut, from -1, the picture's left or upper end, to 1; 0 is the middle
}

// fit is Fit for a view.
func (v View) fit(img image.Image, size image.Point) *image.NRGBA {
	b := img.Bounds()
	cover := Cover(b.Dx(), b.Dy(), size)
	// A strip, such as 4000 x 10 pixels, would cover a square at an enormous size: it is cut to shape first. For usual
	// pictures sd-scripts' order, scale and then cut, counts.
	if cover.X > longest*size.X || cover.Y > longest*size.Y {
		img = imaging.CropCenter(img, max(1, b.Dy()*size.X/size.Y), max(1, b.Dx()*size.Y/size.X))
		cover = size
	}
	scaled := imaging.Resize(img, cover.X, cover.Y, imaging.Lanczos)
	corner := image.Pt(v.place(cover.X-size.X), v.place(cover.Y-size.Y))
	cut := imaging.Crop(scaled, image.Rectangle{Min: corner, Max: corner.Add(size)})
	if v.Flip {
		return imaging.FlipH(cut)
	}
	return cut
}

// place is how much of what sticks out is cut off before the view.
func (v View) place(excess int) int { return int(float64(excess) * (1 + v.Shift) / 2) }

// tensor is the picture's pixels without alpha as [height, width, 3], 0 to 255 mapped to -1 to 1.
func tensor(img *image.NRGBA) []float32 {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := make([]float32, 0, h*w*3)
	for y := range h {
		row := img.Pix[y*img.Stride : y*img.Stride+4*w]
		for x := 0; x < len(row); x += 4 {
			for _, v := range row[x : x+3] {
				out = append(out, float32(v)/127.5-1)
			}
		}
	}
	return out
}
