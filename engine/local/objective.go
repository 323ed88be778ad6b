package local

import (
	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/kernel"
	"easel/engine/optim"
	"easel/engine/train"
)

// lossKinds are the values of Loss.Kind.
var lossKinds = map[string]kernel.LossKind{"mse": kernel.MSE, "huber": kernel.Huber, "smooth_l1": kernel.SmoothL1}

// newLoss makes the loss that a job asks for.
func newLoss(l engine.Loss) (loss train.Loss, err error) {
	loss = train.Loss{Kind: lossKinds[l.Kind], Masked: l.Masked}
	if loss.Kind != kernel.MSE {
		loss.C, err = diffusion.NewHuberC(l.HuberSchedule, l.HuberC)
	}
	return loss, err
}

// weighting is how much timesteps count.
func weighting(job engine.Job) diffusion.Weighting {
	switch {
	case job.MinSNR > 0:
		return diffusion.MinSNR(job.MinSNR)
	case job.Loss.Debiased:
		return diffusion.Debiased{}
	}
	return diffusion.Uniform{}
}

func newRate(job engine.Job) (*optim.RateSchedule, error) {
	rate, err := optim.NewRateSchedule(job.Schedule, job.Rate, job.Warmup)
	if err != nil {
		return nil, err
	}
	if job.Cycles > 0 {
		rate.Cycles = job.Cycles
	}
	if job.Power > 0 {
		rate.Power = job.Power
	}
	return rate, nil
}

func newOptimizer(job engine.Job) (optim.Optimizer, error) {
	settings, err := optim.Defaults(job.Optimizer)
	if err != nil {
		return nil, err
	}
	settings.Seed = job.Seed
	return optim.New(job.Optimizer, settings)
}
