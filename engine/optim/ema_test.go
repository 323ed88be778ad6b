package optim_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/optim"
)

func mustEMA(t *testing.T, most float64) *optim.EMA {
	t.Helper()
	e, err := optim.NewEMA(most)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestGoldenEMA(t *testing.T) {
	f := golden.Open(t, "optimizers.safetensors")
	path, e := f.Tensor("adamw/W"), mustEMA(t, 0.9999)
	p := optim.Param{Name: "W", Value: f.Tensor("in/W")}
	params, n := []optim.Param{p}, p.Value.Len()
	var averages, decays []float32
	for i := range f.Tensor("ema/decay").Len() {
		copy(p.Value.F32(), path.F32()[i*n:])
		decays = append(decays, float32(e.Decay(i)))
		if err := e.Update(params); err != nil {
			t.Fatal(err)
		}
		if err := e.Swap(params); err != nil {
			t.Fatal(err)
		}
		averages = append(averages, p.Value.F32()...)
		if err := e.Swap(params); err != nil {
			t.Fatal(err)
		}
	}
	f.Check(t, "", "ema/W", averages)
	f.Check(t, "", "ema/decay", decays)
	if last := path.F32()[(path.Shape[0]-1)*n:]; !cmp.Equal(p.Value.F32(), last) {
		t.Error("swapping twice did not bring the values back")
	}
}

func TestEMAResumesBitEqual(t *testing.T) {
	run := func(e *optim.EMA, params []optim.Param, from, to int) {
		for i := from; i < to; i++ {
			for _, p := range params {
				for j := range p.Value.F32() {
					p.Value.F32()[j] = float32(math.Sin(float64(i*7 + j)))
				}
			}
			if err := e.Update(params); err != nil {
				t.Fatal(err)
			}
		}
	}
	averages := func(e *optim.EMA, params []optim.Param) [][]float32 {
		if err := e.Swap(params); err != nil {
			t.Fatal(err)
		}
		return values(params)
	}
	whole, params := mustEMA(t, 0.5), smallProblem()
	run(whole, params, 0, 20)
	want := averages(whole, params)

	first, params := mustEMA(t, 0.5), smallProblem()
	run(first, params, 0, 8)
	second := mustEMA(t, 0.5)
	if err := second.Restore(first.State()); err != nil {
		t.Fatal(err)
	}
	run(first, params, 8, 12) // must not reach the restored copy
	run(second, params, 8, 20)
	if diff := cmp.Diff(want, averages(second, params)); diff != "" {
		t.Error(diff)
	}
}

func TestNewEMARefuses(t *testing.T) {
	for _, most := range []float64{-0.1, 1, math.NaN()} {
		if _, err := optim.NewEMA(most); err == nil || engine.KindOf(err) != engine.BadInput {
			t.Errorf("%g: error %v, want one of kind bad input", most, err)
		}
	}
}

func TestClipping(t *testing.T) {
	grad := func(v ...float32) optim.Param { return optim.Param{Grad: kernel.FromF32(v, len(v))} }
	norm, err := optim.GradNorm(ref.New(), []optim.Param{grad(3, 0), grad(0, -4, 12)})
	if err != nil {
		t.Fatal(err)
	}
	if norm != 13 {
		t.Errorf("norm %g, want 13", norm)
	}
	for _, test := range []struct {
		norm, largest float64
		want          float32
	}{{0.5, 1, 1}, {0, 1, 1}, {13, 1, 1 / 13.000001}, {13, 26, 1}, {13, 0, 1}} {
		if got := optim.ClipScale(test.norm, test.largest); math.Abs(float64(got-test.want)) > 1e-7 {
			t.Errorf("ClipScale(%g, %g) = %g, want %g", test.norm, test.largest, got, test.want)
		}
	}
}
