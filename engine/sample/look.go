package sample

import (
	"context"
	"image"
	"math"

	"easel/engine/kernel"
)

// Look is one training step in pictures.
type Look struct {
	Clean     *image.NRGBA // x0
	Noised    *image.NRGBA // x_t
	Noise     *image.NRGBA // ε
	Predicted *image.NRGBA // the noise that the network sees in x_t
	Denoised  *image.NRGBA // the x0 that follows from it
	Error     *image.NRGBA // |predicted - ε|, a heat map of the latent's size
	Loss      float64      // mean squared error of the network's output
}

// Look shows what the network makes of a training picture: clean and noise are latents [1, h, w, c], scaled. Where the
// network predicts velocity, noise and picture follow from that.
func (r *Renderer) Look(ctx context.Context, clean, noise *kernel.Tensor, timestep int, caption string) (Look, error) {
	contexts, err := r.contexts(ctx, []string{caption})
	if err != nil {
		return Look{}, err
	}
	like := func() *kernel.Tensor { return kernel.New(kernel.F32, clean.Shape...) }
	noised, target, predicted, denoised := like(), like(), like(), like()
	r.Schedule.AddNoise(noised.F32(), clean.F32(), noise.F32(), timestep)
	r.Schedule.Target(target.F32(), clean.F32(), noise.F32(), timestep)
	out, err := r.predict(ctx, noised, float64(timestep), contexts)
	if err != nil {
		return Look{}, err
	}
	r.Schedule.Epsilon(predicted.F32(), noised.F32(), out.F32(), timestep)
	r.Schedule.X0(denoised.F32(), noised.F32(), out.F32(), timestep)
	l := Look{Error: heat(predicted, noise), Loss: squaredError(out.F32(), target.F32())}
	for _, part := range []struct {
		picture **image.NRGBA
		latent  *kernel.Tensor
	}{{&l.Clean, clean}, {&l.Noised, noised}, {&l.Noise, noise}, {&l.Predicted, predicted}, {&l.Denoised, denoised}} {
		pictures, err := r.decode(ctx, part.latent)
		if err != nil {
			return Look{}, err
		}
		*part.picture = pictures[0]
	}
	return l, nil
}

func squaredError(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return sum / float64(len(a))
}

// heat draws the mean absolute difference of the channels of [1, h, w, c]: from black over red and yellow to white, which
// is the standard deviation of the noise, 1.
func heat(a, b *kernel.Tensor) *image.NRGBA {
	h, w, c := a.Shape[1], a.Shape[2], a.Shape[3]
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for p := range h * w {
		sum := 0.0
		for k := range c {
			sum += math.Abs(float64(a.F32()[p*c+k]) - float64(b.F32()[p*c+k]))
		}
		v := 3 * sum / float64(c)
		for k := range 3 {
			img.Pix[4*p+k] = uint8(255 * min(max(v-float64(k), 0), 1))
		}
		img.Pix[4*p+3] = 255
	}
	return img
}
