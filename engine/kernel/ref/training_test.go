package ref_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
)

// The losses of losses.safetensors that need no noise schedule: name -> kind, and where their inputs are.
var goldenLosses = map[string]struct {
	kind              kernel.LossKind
	c, target, weight string
}{
	"mse_eps":               {kernel.MSE, "", "in/noise", ""},
	"mse_v":                 {kernel.MSE, "", "target_v", ""},
	"offset_eps":            {kernel.MSE, "", "offset_noise", ""},
	"sample_weight_eps":     {kernel.MSE, "", "in/noise", "in/sample_weight"},
	"huber_constant":        {kernel.Huber, "huber_c_constant", "in/noise", ""},
	"huber_exponential":     {kernel.Huber, "huber_c_exponential", "in/noise", ""},
	"huber_snr":             {kernel.Huber, "huber_c_snr", "in/noise", ""},
	"smooth_l1_constant":    {kernel.SmoothL1, "huber_c_constant", "in/noise", ""},
	"smooth_l1_exponential": {kernel.SmoothL1, "huber_c_exponential", "in/noise", ""},
	"smooth_l1_snr":         {kernel.SmoothL1, "huber_c_snr", "in/noise", ""},
	"masked_eps":            {kernel.MSE, "", "in/noise", "mask_latent"},
}

func TestLossesAreThoseOfTheReference(t *testing.T) {
	f := golden.Open(t, "losses.safetensors")
	optional := func(name string) *kernel.Tensor {
		if name == "" {
			return nil
		}
		return f.Tensor(name)
	}
	for name, l := range goldenLosses {
		t.Run(name, func(t *testing.T) {
			pred := f.Tensor("in/pred")
			weight := optional(l.weight)
			if l.weight == "mask_latent" {
				weight = overChannels(weight, pred.Shape)
			}
			loss, dpred := kernel.New(kernel.F32, 1), shapeOf(pred)
			if err := ref.New().Loss(loss, pred, f.Tensor(l.target), weight, optional(l.c), l.kind); err != nil {
				t.Fatal(err)
			}
			if err := ref.New().LossGrad(dpred, pred, f.Tensor(l.target), weight, optional(l.c), l.kind); err != nil {
				t.Fatal(err)
			}
			f.Check(t, name, name+"/loss", loss.F32())
			f.Check(t, name, name+"/dpred", dpred.F32())
		})
	}
}

// overChannels repeats an NCHW mask of one channel for all of a shape's.
func overChannels(mask *kernel.Tensor, shape []int) *kernel.Tensor {
	wide := kernel.New(kernel.F32, shape...)
	pixels := shape[2] * shape[3]
	for i := range wide.F32() {
		wide.F32()[i] = mask.F32()[i/(shape[1]*pixels)*pixels+i%pixels]
	}
	return wide
}

// TestAdamIsThatOfTorch follows the least-squares problem of optimizers.safetensors (written out in its metadata).
func TestAdamIsThatOfTorch(t *testing.T) {
	f := golden.Open(t, "optimizers.safetensors")
	for name, decay := range map[string]float32{"adamw": 1e-2, "adamw_wd0": 0} {
		params, grads := map[string]*kernel.Tensor{}, map[string]*kernel.Tensor{}
		m, v := map[string]*kernel.Tensor{}, map[string]*kernel.Tensor{}
		path := map[string][]float32{}
		for _, p := range []string{"W", "b", "C"} {
			params[p] = f.Tensor("in/" + p)
			grads[p], m[p], v[p] = shapeOf(params[p]), shapeOf(params[p]), shapeOf(params[p])
		}
		steps := f.Tensor(name + "/W").Shape[0]
		for step := range steps {
			leastSquaresGradient(grads, params, f.Tensor("in/X"), f.Tensor("in/Y"), f.Tensor("in/G"))
			for p := range params {
				h := kernel.AdamStep{Rate: 1e-2, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: decay, Step: step + 1, GradScale: 1}
				if err := ref.New().Adam(params[p], grads[p], m[p], v[p], h); err != nil {
					t.Fatal(err)
				}
				path[p] = append(path[p], params[p].F32()...)
			}
		}
		for p := range params {
			f.Check(t, name, name+"/"+p, path[p])
		}
	}
}

// leastSquaresGradient sets the gradients of mean((X W + b - Y)²) + mean((C - G)²) + 0.1 mean(sin(C)·sum(W)).
func leastSquaresGradient(grads, params map[string]*kernel.Tensor, x, y, g *kernel.Tensor) {
	w, b, c := params["W"].F32(), params["b"].F32(), params["C"].F32()
	rows, in, out := x.Shape[0], x.Shape[1], y.Shape[1]
	dw, db := make([]float64, len(w)), make([]float64, len(b))
	sumW, sinC := 0.0, 0.0
	for _, v := range w {
		sumW += float64(v)
	}
	for i, v := range c {
		sinC += math.Sin(float64(v)) / float64(len(c))
		d := 2*(float64(v)-float64(g.F32()[i])) + 0.1*math.Cos(float64(v))*sumW
		grads["C"].F32()[i] = float32(d / float64(len(c)))
	}
	for r := range rows {
		for o := range out {
			e := float64(b[o]) - float64(y.F32()[r*out+o])
			for i := range in {
				e += float64(x.F32()[r*in+i]) * float64(w[i*out+o])
			}
			e *= 2 / float64(rows*out)
			db[o] += e
			for i := range in {
				dw[i*out+o] += e * float64(x.F32()[r*in+i])
			}
		}
	}
	for i, d := range dw {
		grads["W"].F32()[i] = float32(d + 0.1*sinC)
	}
	for o, d := range db {
		grads["b"].F32()[o] = float32(d)
	}
}

func TestGradScaleMultipliesTheGradient(t *testing.T) {
	step := func(scale, grad float32) string {
		p, m, v := kernel.FromF32([]float32{1}, 1), kernel.New(kernel.F32, 1), kernel.New(kernel.F32, 1)
		h := kernel.AdamStep{Rate: 0.1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-2, Step: 1, GradScale: scale}
		if err := ref.New().Adam(p, kernel.FromF32([]float32{grad}, 1), m, v, h); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(p.F32(), m.F32(), v.F32())
	}
	if a, b := step(0.25, 2), step(1, 0.5); a != b || strings.Contains(a, "NaN") {
		t.Errorf("0.25·2 gives %s, 1·0.5 gives %s", a, b)
	}
}
