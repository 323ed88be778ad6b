package dataset

import "image"

// parts is into how many rows and columns a picture is divided to find where it is sharpest.
const parts = 8

// sharpness measures how sharp the sharpest part of a picture is: the variance of its Laplacian (Pertuz et al., Analysis
// of focus measure operators for shape-from-focus, 2013, LAPV), over luma from 0 to 255, in each cell of a grid; the
// largest counts. So neither a plain ground nor one that is out of focus behind a sharp subject makes a picture blurred.
// Pictures are comparable at one size only.
func sharpness(img *image.NRGBA) float64 {
	gray, w, h := luma(img)
	if w < 3*parts || h < 3*parts {
		return 0
	}
	best := 0.0
	for row := range parts {
		for column := range parts {
			cell := image.Rect(1+column*(w-2)/parts, 1+row*(h-2)/parts, 1+(column+1)*(w-2)/parts, 1+(row+1)*(h-2)/parts)
			best = max(best, laplacianVariance(gray, w, cell))
		}
	}
	return best
}

// laplacianVariance is that of the 4-neighbour Laplacian over a cell that does not touch the edge.
func laplacianVariance(gray []float32, stride int, cell image.Rectangle) float64 {
	var sum, squares float64
	for y := cell.Min.Y; y < cell.Max.Y; y++ {
		for x := cell.Min.X; x < cell.Max.X; x++ {
			i := y*stride + x
			l := float64(gray[i-1] + gray[i+1] + gray[i-stride] + gray[i+stride] - 4*gray[i])
			sum += l
			squares += l * l
		}
	}
	n := float64(cell.Dx() * cell.Dy())
	return squares/n - (sum/n)*(sum/n)
}

// luma is a picture in grey, 0 to 255, by the weights of ITU-R BT.601.
func luma(img *image.NRGBA) (gray []float32, width, height int) {
	width, height = img.Rect.Dx(), img.Rect.Dy()
	gray = make([]float32, width*height)
	for y := range height {
		row := img.Pix[y*img.Stride:]
		for x := range width {
			p := row[4*x:]
			gray[y*width+x] = 0.299*float32(p[0]) + 0.587*float32(p[1]) + 0.114*float32(p[2])
		}
	}
	return gray, width, height
}
