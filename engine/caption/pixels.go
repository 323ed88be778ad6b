package caption

import (
	"image"
	"image/color"

	"easel/engine/dataset"
	"easel/engine/kernel"

	"github.com/disintegration/imaging"
)

// Pixels is a picture as BLIP's vision transformer takes it: on white, squashed to a square of side pixels, 0 to 1, less
// mean and divided by std: [1, side, side, 3].
func Pixels(img *image.NRGBA, side int, mean, std [3]float32) *kernel.Tensor {
	return normal(bicubic(dataset.OnWhite(img), side), mean, std, [3]int{0, 1, 2})
}

// largestSquare is the longest side of a picture, in pixels, that SquarePixels puts into a square of its own size.
const largestSquare = 4096

// SquarePixels is a picture as the WD tagger takes it: in the middle of a white square, which is scaled to side pixels;
// otherwise as Pixels, but with the channels blue, green, red.
func SquarePixels(img *image.NRGBA, side int, mean, std [3]float32) *kernel.Tensor {
	img = dataset.OnWhite(img)
	if max(img.Rect.Dx(), img.Rect.Dy()) > largestSquare { // a long one's square would take very much memory
		img = imaging.Fit(img, largestSquare, largestSquare, imaging.Box)
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	n := max(w, h)
	square := imaging.Paste(imaging.New(n, n, color.White), img, image.Pt((n-w)/2, (n-h)/2))
	return normal(bicubic(square, side), mean, std, [3]int{2, 1, 0})
}

// bicubic scales as Pillow does: a = -0.5, widened where the picture shrinks.
func bicubic(img *image.NRGBA, side int) *image.NRGBA {
	return imaging.Resize(img, side, side, imaging.CatmullRom)
}

// normal takes the channels in order, less mean and divided by std.
func normal(img *image.NRGBA, mean, std [3]float32, order [3]int) *kernel.Tensor {
	t := kernel.New(kernel.F32, 1, img.Rect.Dy(), img.Rect.Dx(), 3)
	out := t.F32()
	for i := range len(out) / 3 {
		for c, from := range order {
			out[3*i+c] = (float32(img.Pix[4*i+from])/255 - mean[from]) / std[from]
		}
	}
	return t
}
