package dataset

import (
	"image"

	"github.com/disintegration/imaging"

	"easel/engine"
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
func Fit(img image.Image, size image.Point) *image.NRGBA {
	return View{}.fit(img, size, engine.Crop{})
}

// View is a form in which a picture is seen.
type View struct {
	Flip  bool    // mirrored, left to right
	Shift float64 // of the cut from where the picture's crop has it, from -1 to 1: as far as the left or upper end, or the other
}

// fit is Fit for a view, with the part that crop chooses.
func (v View) fit(img image.Image, size image.Point, crop engine.Crop) *image.NRGBA {
	b := img.Bounds()
	cover := Cover(b.Dx(), b.Dy(), size)
	// A strip, such as 4000 x 10 pixels, would cover a square at an enormous size: it is cut to shape first. For usual
	// pictures sd-scripts' order, scale and then cut, counts.
	if cover.X > longest*size.X || cover.Y > longest*size.Y {
		part := image.Pt(min(b.Dx(), max(1, b.Dy()*size.X/size.Y)), min(b.Dy(), max(1, b.Dx()*size.Y/size.X)))
		corner := b.Min.Add(cropCorner(b.Size().Sub(part), crop))
		img = imaging.Crop(img, image.Rectangle{Min: corner, Max: corner.Add(part)})
		cover = size
	}
	scaled := imaging.Resize(img, cover.X, cover.Y, imaging.Lanczos)
	corner := cropCorner(cover.Sub(size), v.shifted(crop))
	cut := imaging.Crop(scaled, image.Rectangle{Min: corner, Max: corner.Add(size)})
	if v.Flip {
		return imaging.FlipH(cut)
	}
	return cut
}

// shifted is the part that the view sees of the picture.
func (v View) shifted(crop engine.Crop) engine.Crop {
	move := func(at float64) float64 { return min(max(at+v.Shift, -1), 1) }
	return engine.Crop{X: move(crop.X), Y: move(crop.Y)}
}

// cropCorner is where the part begins that crop chooses, when over is cut in all.
func cropCorner(over image.Point, crop engine.Crop) image.Point {
	move := func(over int, by float64) int { return int(float64(over) * (1 + by) / 2) }
	return image.Pt(move(over.X, crop.X), move(over.Y, crop.Y))
}

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
