package caption

import (
	"image"

	"easel/engine/dataset"
	"easel/engine/kernel"

	"github.com/disintegration/imaging"
)

// Pixels is a picture as BLIP's vision transformer takes it: on white, squashed to a square of side pixels with a bicubic
// filter (a = -0.5, widened where the picture shrinks, as Pillow's), 0 to 1, less mean and divided by std: [1, side, side, 3].
func Pixels(img *image.NRGBA, side int, mean, std [3]float32) *kernel.Tensor {
	scaled := imaging.Resize(dataset.OnWhite(img), side, side, imaging.CatmullRom)
	t := kernel.New(kernel.F32, 1, side, side, 3)
	out := t.F32()
	for i := range side * side {
		for c := range 3 {
			out[3*i+c] = (float32(scaled.Pix[4*i+c])/255 - mean[c]) / std[c]
		}
	}
	return t
}
