package diffusion

import "math"

// pyramidLevels is how many levels a pyramid has at most, as in sd-scripts (custom_train_functions.py).
const pyramidLevels = 6

// PyramidNoise adds coarser and coarser noise to one channels-last sample [h, w, channels] and scales it back to a
// variance of 1, so that the network learns large areas as well as details (Whitaker, "Multi-resolution noise for
// diffusion model training", 2023; sd-scripts' pyramid_noise_like): ε += discountⁱ·upsample(N(h/rⁱ, w/rⁱ)), each level
// with r of its own from 2 to 4, until a side is 1. 0.3 is usual for discount.
//
// normal fills a slice with N(0,1) numbers for a level, uniform gives a number from 0 to 1.
func PyramidNoise(eps []float32, h, w, channels int, discount float64, normal func(level int, dst []float32), uniform func(level int) float64) {
	weight := 1.0
	for level := range pyramidLevels {
		shrink := math.Pow(2+2*uniform(level), float64(level))
		ch, cw := max(1, int(float64(h)/shrink)), max(1, int(float64(w)/shrink))
		coarse := make([]float32, ch*cw*channels)
		normal(level, coarse)
		addUpsampled(eps, h, w, coarse, ch, cw, channels, weight)
		if ch == 1 || cw == 1 {
			break
		}
		weight *= discount
	}
	standardise(eps)
}

// addUpsampled adds weight times a coarse sample, interpolated bilinearly with pixels' centres aligned (torch's
// Upsample without align_corners).
func addUpsampled(eps []float32, h, w int, coarse []float32, ch, cw, channels int, weight float64) {
	for y := range h {
		y0, y1, fy := between(y, h, ch)
		for x := range w {
			x0, x1, fx := between(x, w, cw)
			for c := range channels {
				at := func(y, x int) float64 { return float64(coarse[(y*cw+x)*channels+c]) }
				top := at(y0, x0) + fx*(at(y0, x1)-at(y0, x0))
				bottom := at(y1, x0) + fx*(at(y1, x1)-at(y1, x0))
				eps[(y*w+x)*channels+c] += float32(weight * (top + fy*(bottom-top)))
			}
		}
	}
}

// between finds the coarse pixels on both sides of pixel i of n, and how far i is on the way to the second.
func between(i, n, coarse int) (low, high int, part float64) {
	at := max((float64(i)+0.5)*float64(coarse)/float64(n)-0.5, 0)
	low = int(at)
	return low, min(low+1, coarse-1), at - float64(low)
}

// standardise divides by the standard deviation.
func standardise(x []float32) {
	var sum, squares float64
	for _, v := range x {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	n := float64(len(x))
	variance := (squares - sum*sum/n) / max(n-1, 1)
	if variance <= 0 {
		return
	}
	for i, v := range x {
		x[i] = float32(float64(v) / math.Sqrt(variance))
	}
}
