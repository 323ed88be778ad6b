package optim_test

import (
	"math"
	"testing"

	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/optim"
)

// problem is the one of optimizers.safetensors: mean((XW + b - Y)²) + mean((C - G)²) + 0.1·mean(sin(C)·ΣW).
type problem struct {
	w, b, c optim.Param
	x, y, g *kernel.Tensor
}

func newProblem(f *golden.File) *problem {
	param := func(name string) optim.Param {
		value := f.Tensor("in/" + name)
		return optim.Param{Name: name, Value: value, Grad: kernel.New(kernel.F32, value.Shape...), Rate: 1}
	}
	return &problem{param("W"), param("b"), param("C"), f.Tensor("in/X"), f.Tensor("in/Y"), f.Tensor("in/G")}
}

func (p *problem) params() []optim.Param { return []optim.Param{p.w, p.b, p.c} }

// differentiate fills the gradients and returns the loss.
func (p *problem) differentiate() float64 {
	n, in, out := p.x.Shape[0], p.x.Shape[1], p.y.Shape[1]
	x, y, w, b := p.x.F32(), p.y.F32(), p.w.Value.F32(), p.b.Value.F32()
	gradW, gradB := make([]float64, len(w)), make([]float64, len(b))
	loss, scale := 0.0, 1/float64(n*out)
	for i := range n {
		for o := range out {
			e := float64(b[o]) - float64(y[i*out+o])
			for k := range in {
				e += float64(x[i*in+k]) * float64(w[k*out+o])
			}
			loss += e * e * scale
			gradB[o] += 2 * e * scale
			for k := range in {
				gradW[k*out+o] += 2 * e * scale * float64(x[i*in+k])
			}
		}
	}
	sum, sines := 0.0, 0.0
	for _, v := range w {
		sum += float64(v)
	}
	scale = 1 / float64(p.c.Value.Len())
	for i, c32 := range p.c.Value.F32() {
		c, d := float64(c32), float64(c32)-float64(p.g.F32()[i])
		loss += d * d * scale
		sines += math.Sin(c) * scale
		p.c.Grad.F32()[i] = float32(2*d*scale + 0.1*math.Cos(c)*sum*scale)
	}
	for i, g := range gradW {
		p.w.Grad.F32()[i] = float32(g + 0.1*sines)
	}
	for i, g := range gradB {
		p.b.Grad.F32()[i] = float32(g)
	}
	return loss + 0.1*sines*sum
}

func mustNew(t *testing.T, name string, change func(*optim.Settings)) optim.Optimizer {
	t.Helper()
	settings, err := optim.Defaults(name)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&settings)
	}
	o, err := optim.New(name, settings)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
