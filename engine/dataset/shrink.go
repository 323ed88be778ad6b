package dataset

import (
	"image"
	"image/color"

	"github.com/disintegration/imaging"
)

// shrink scales a picture so that its longest side is at most side pixels, on white. It averages blocks of whole pixels
// first and reads the decoder's own planes, so that a picture of 12 million pixels costs little time and no copy of it.
func shrink(img image.Image, side int) *image.NRGBA {
	size := img.Bounds().Size()
	small := blocks(img, max(1, max(size.X, size.Y)/side))
	if b := small.Bounds(); max(b.Dx(), b.Dy()) > side {
		w, h := side, 0
		if b.Dy() > b.Dx() {
			w, h = 0, side
		}
		small = imaging.Resize(small, w, h, imaging.Linear)
	}
	return small
}

// blocks averages blocks of k by k pixels; a rest at the right and below is left out.
func blocks(img image.Image, k int) *image.NRGBA {
	b := img.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, max(1, b.Dx()/k), max(1, b.Dy()/k)))
	average := func(x, y int) color.NRGBA { return meanColor(img, image.Rect(x, y, x+k, y+k).Intersect(b)) }
	if planes, ok := img.(*image.YCbCr); ok {
		average = func(x, y int) color.NRGBA { return meanYCbCr(planes, image.Rect(x, y, x+k, y+k).Intersect(b)) }
	}
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.SetNRGBA(x, y, average(b.Min.X+x*k, b.Min.Y+y*k))
		}
	}
	return out
}

// meanYCbCr is the mean of a block. The planes of colour are coarser than that of luma; one reading a row and column
// of theirs is enough.
func meanYCbCr(img *image.YCbCr, block image.Rectangle) color.NRGBA {
	luma, cb, cr, n := 0, 0, 0, 0
	for y := block.Min.Y; y < block.Max.Y; y++ {
		row := img.Y[img.YOffset(block.Min.X, y):]
		for _, v := range row[:block.Dx()] {
			luma += int(v)
		}
	}
	for y := block.Min.Y; y < block.Max.Y; y += 2 {
		for x := block.Min.X; x < block.Max.X; x += 2 {
			i := img.COffset(x, y)
			cb, cr, n = cb+int(img.Cb[i]), cr+int(img.Cr[i]), n+1
		}
	}
	r, g, b := color.YCbCrToRGB(uint8(luma/(block.Dx()*block.Dy())), uint8(cb/n), uint8(cr/n))
	return color.NRGBA{r, g, b, 255}
}

// meanColor is the mean of a block of any picture, on white.
func meanColor(img image.Image, block image.Rectangle) color.NRGBA {
	var r, g, b, n uint64
	for y := block.Min.Y; y < block.Max.Y; y++ {
		for x := block.Min.X; x < block.Max.X; x++ {
			pr, pg, pb, pa := rgba(img, x, y) // premultiplied, of 65535
			white := 0xffff - pa
			r, g, b, n = r+uint64(pr+white), g+uint64(pg+white), b+uint64(pb+white), n+1
		}
	}
	mean := func(sum uint64) uint8 { return uint8(sum / n >> 8) }
	return color.NRGBA{mean(r), mean(g), mean(b), 255}
}

// rgba is img.At(x, y).RGBA() without an allocation for the usual kinds.
func rgba(img image.Image, x, y int) (r, g, b, a uint32) {
	switch img := img.(type) {
	case *image.NRGBA:
		return img.NRGBAAt(x, y).RGBA()
	case *image.RGBA:
		return img.RGBAAt(x, y).RGBA()
	case *image.Gray:
		return img.GrayAt(x, y).RGBA()
	}
	return img.At(x, y).RGBA()
}
