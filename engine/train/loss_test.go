package train_test

import (
	"context"
	"math"
	"testing"

	"easel/engine/diffusion"
	"easel/engine/graph"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/model"
	"easel/engine/train"
)

// randomBatch is a batch of noise.
func randomBatch(m *model.Model, rows, h, w int) train.Batch {
	seed := uint64(100*rows + 10*h + w)
	tensor := func(shape ...int) *kernel.Tensor {
		v := kernel.New(kernel.F32, shape...)
		seed++
		rng.Normal(v.F32(), seed, 0, rng.Noise)
		return v
	}
	b := train.Batch{Latents: tensor(rows, h, w, m.UNet.InChannels), Noise: tensor(rows, h, w, m.UNet.InChannels),
		Context: tensor(rows, model.Tokens, m.UNet.CrossAttentionDim)}
	for i := range rows {
		b.Timesteps = append(b.Timesteps, 150+500*i)
	}
	return b
}

// predict is what the tiny UNet makes of a batch, and the noise that it should have made.
func predict(t *testing.T, m *model.Model, s *diffusion.Schedule, b train.Batch) []float32 {
	t.Helper()
	g := graph.New()
	shape := b.Latents.Shape
	x, steps, context := g.Input("x", shape...), g.Input("t", shape[0]), g.Input("context", b.Context.Shape...)
	f, err := graph.NewFunction(g, ref.New(), []*graph.Node{x, steps, context}, m.BuildUNet(g, nil, x, steps, context), graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	added := b.Noise
	if b.Added != nil {
		added = b.Added
	}
	in, times := kernel.New(kernel.F32, shape...), kernel.New(kernel.F32, shape[0])
	n := in.Len() / shape[0]
	for i, step := range b.Timesteps {
		times.F32()[i] = float32(step)
		s.AddNoise(in.F32()[i*n:(i+1)*n], b.Latents.F32()[i*n:(i+1)*n], added.F32()[i*n:(i+1)*n], step)
	}
	out, err := f.Call(t.Context(), in, times, b.Context)
	if err != nil {
		t.Fatal(err)
	}
	return out.F32()
}

// TestLosses compares the loss of a step with each loss's formula, computed here from the network's output.
func TestLosses(t *testing.T) {
	m := loadTiny(t)
	schedule, err := diffusion.ParseSchedule(m.Scheduler)
	if err != nil {
		t.Fatal(err)
	}
	huber := func(kind string) diffusion.HuberC {
		c, err := diffusion.NewHuberC(kind, 0.1)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	plain := randomBatch(m, 2, 8, 8)
	masked, perturbed := plain, plain
	masked.Mask = kernel.New(kernel.F32, 2, 8, 8)
	for i := range masked.Mask.F32() {
		masked.Mask.F32()[i] = float32(i%5) / 4
	}
	perturbed.Added = randomBatch(m, 2, 8, 8).Latents
	for name, c := range map[string]struct {
		batch     train.Batch
		loss      train.Loss
		weighting diffusion.Weighting
		of        func(d, snr, sigma, mask float64, step int) float64 // one element's loss
	}{
		"mse":       {plain, train.Loss{}, diffusion.Uniform{}, func(d, _, _, _ float64, _ int) float64 { return d * d }},
		"masked":    {masked, train.Loss{Masked: true}, diffusion.Uniform{}, func(d, _, _, mask float64, _ int) float64 { return mask * d * d }},
		"no mask":   {plain, train.Loss{Masked: true}, diffusion.Uniform{}, func(d, _, _, _ float64, _ int) float64 { return d * d }},
		"debiased":  {plain, train.Loss{}, diffusion.Debiased{}, func(d, snr, _, _ float64, _ int) float64 { return d * d / math.Sqrt(snr) }},
		"perturbed": {perturbed, train.Loss{}, diffusion.Uniform{}, func(d, _, _, _ float64, _ int) float64 { return d * d }},
		"huber snr, min-SNR, masked": {masked, train.Loss{Kind: kernel.Huber, C: huber("snr"), Masked: true}, diffusion.MinSNR(5),
			func(d, snr, sigma, mask float64, _ int) float64 {
				c := 0.9/((1+sigma)*(1+sigma)) + 0.1
				return mask * min(snr, 5) / snr * 2 * c * (math.Sqrt(d*d+c*c) - c)
			}},
		"smooth l1 exponential": {plain, train.Loss{Kind: kernel.SmoothL1, C: huber("exponential")}, diffusion.Uniform{},
			func(d, _, _, _ float64, step int) float64 {
				c := math.Exp(math.Log(0.1) / 1000 * float64(step))
				return 2 * (math.Sqrt(d*d+c*c) - c)
			}},
	} {
		t.Run(name, func(t *testing.T) {
			pred, want := predict(t, m, schedule, c.batch), 0.0
			n := len(pred) / 2
			for i, p := range pred {
				step, mask := c.batch.Timesteps[i/n], 1.0
				if c.batch.Mask != nil {
					mask = float64(c.batch.Mask.F32()[i/4])
				}
				snr := schedule.SNR(step)
				want += c.of(float64(p)-float64(c.batch.Noise.F32()[i]), snr, math.Sqrt(1/snr), mask, step) / float64(len(pred))
			}
			tr := newTrainer(t, m, map[string]string{"rank": "1", "text-encoder": "off"}, ref.New(), 1e-3, 0, graph.Options{})
			tr.Loss, tr.Weighting = c.loss, c.weighting
			r, err := tr.Step(context.Background(), 0, c.batch)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(r.Loss-want) > 1e-5*want {
				t.Errorf("loss %g, want %g", r.Loss, want)
			}
		})
	}
}
