package diffusion_test

import (
	"testing"

	"easel/engine/diffusion"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
)

// perSample is a [batch] tensor of f at each sample's timestep.
func (b *batch) perSample(f func(t int) float64) *kernel.Tensor {
	values := make([]float32, len(b.timesteps))
	for i, t := range b.timesteps {
		values[i] = float32(f(t))
	}
	return kernel.FromF32(values, len(values))
}

// mask is mask_latent, which all channels share, spread over them.
func (b *batch) mask() *kernel.Tensor {
	mask, spread := b.f.Tensor("mask_latent").F32(), kernel.New(kernel.F32, b.f.Tensor("in/pred").Shape...)
	for i := range spread.F32() {
		spread.F32()[i] = mask[i/b.size*b.pixels+i%b.pixels]
	}
	return spread
}

// Targets and weights of this package with the loss of the reference backend give the golden losses and gradients.
func TestGoldenLosses(t *testing.T) {
	b, backend := openBatch(t), ref.New()
	defer backend.Close()
	eps, v := diffusion.StableDiffusion(diffusion.Epsilon), diffusion.StableDiffusion(diffusion.Velocity)
	weight := func(s *diffusion.Schedule, w diffusion.Weighting) *kernel.Tensor {
		return b.perSample(func(t int) float64 { return w.Weight(s, t) })
	}
	type loss struct {
		name      string
		target    []float32
		weight, c *kernel.Tensor
		kind      kernel.LossKind
	}
	targetEps, targetV := b.target(eps, b.noise), b.target(v, b.noise)
	losses := []loss{
		{name: "mse_eps", target: targetEps, weight: weight(eps, diffusion.Uniform{})},
		{name: "mse_v", target: targetV},
		{name: "min_snr5_eps", target: targetEps, weight: weight(eps, diffusion.MinSNR(5))},
		{name: "min_snr5_v", target: targetV, weight: weight(v, diffusion.MinSNR(5))},
		{name: "debiased_eps", target: targetEps, weight: weight(eps, diffusion.Debiased{})},
		{name: "debiased_v_sdscripts", target: targetV, weight: weight(v, diffusion.Debiased{})},
		{name: "debiased_v_onetrainer", target: targetV, weight: weight(v, diffusion.Debiased{OneTrainer: true})},
		{name: "offset_eps", target: b.target(eps, b.offsetNoise())},
		{name: "masked_eps", target: targetEps, weight: b.mask()},
		{name: "sample_weight_eps", target: targetEps, weight: b.f.Tensor("in/sample_weight")},
	}
	for _, schedule := range []string{"constant", "exponential", "snr"} {
		huber, err := diffusion.NewHuberC(schedule, 0.1)
		if err != nil {
			t.Fatal(err)
		}
		c := b.perSample(func(t int) float64 { return huber.At(eps, t) })
		losses = append(losses, loss{"huber_" + schedule, targetEps, nil, c, kernel.Huber},
			loss{"smooth_l1_" + schedule, targetEps, nil, c, kernel.SmoothL1})
	}
	for _, l := range losses {
		pred, out := b.f.Tensor("in/pred"), kernel.New(kernel.F32, 1)
		target, dpred := kernel.FromF32(l.target, pred.Shape...), kernel.New(kernel.F32, pred.Shape...)
		if err := backend.Loss(out, pred, target, l.weight, l.c, l.kind); err != nil {
			t.Fatal(l.name, err)
		}
		if err := backend.LossGrad(dpred, pred, target, l.weight, l.c, l.kind); err != nil {
			t.Fatal(l.name, err)
		}
		b.f.Check(t, "", l.name+"/loss", out.F32())
		b.f.Check(t, "", l.name+"/dpred", dpred.F32())
	}
}
