package diffusion

// LatentMask brings a picture's mask [h, w] to the size of its latent, factor times smaller in both directions: each
// number is the mean of its area (sd-scripts' apply_masked_loss). It is empty where the sizes do not fit.
func LatentMask(mask []float32, h, w, factor int) []float32 {
	if factor < 1 || h%factor != 0 || w%factor != 0 || len(mask) != h*w {
		return nil
	}
	lh, lw := h/factor, w/factor
	sums := make([]float64, lh*lw)
	for i, v := range mask {
		sums[i/w/factor*lw+i%w/factor] += float64(v)
	}
	small := make([]float32, len(sums))
	for i, sum := range sums {
		small[i] = float32(sum / float64(factor*factor))
	}
	return small
}
