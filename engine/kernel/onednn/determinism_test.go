//go:build cgo && linux && amd64

package onednn_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"easel/engine/kernel"
)

// TestSameBits: the same call gives the same bits every time, whatever the threads' timing, so that a resumed run
// repeats an uninterrupted one.
func TestSameBits(t *testing.T) {
	for _, algorithm := range []string{"direct", "winograd"} {
		t.Run(algorithm, func(t *testing.T) { sameBits(t, openFixed(t, algorithm)) })
	}
}

func sameBits(t *testing.T, b kernel.Backend) {
	for _, dt := range []kernel.DType{kernel.F32, kernel.BF16} {
		x, dy := noise(dt, 2, 24, 24, 64), noise(dt, 2, 24, 24, 64)
		w, flat := noise(kernel.F32, 64, 64, 3, 3), noise(kernel.F32, 64, 64)
		gamma, beta := noise(kernel.F32, 64), noise(kernel.F32, 64)
		stats, lse := kernel.New(kernel.F32, 2, 32, 2), kernel.New(kernel.F32, 2, 2, 576)
		o := kernel.New(dt, 2, 576, 64)
		same3 := kernel.Conv{Stride: 1, Top: 1, Left: 1, Bottom: 1, Right: 1}
		must(t, b.GroupNormStats(stats, x, 32, 1e-5))
		must(t, b.Attention(o, lse, x, x, dy, 2, false))
		calls := map[string]func(r []*kernel.Tensor) error{
			"conv":          func(r []*kernel.Tensor) error { return b.Conv2D(r[0], x, w, nil, nil, same3) },
			"conv input":    func(r []*kernel.Tensor) error { return b.Conv2DGradInput(r[0], dy, w, same3) },
			"conv weight":   func(r []*kernel.Tensor) error { return b.Conv2DGradWeight(r[3], x, dy, same3) },
			"linear weight": func(r []*kernel.Tensor) error { return b.LinearGradWeight(r[4], x, dy, 1) },
			"linear":        func(r []*kernel.Tensor) error { return b.Linear(r[0], x, flat, nil, nil, 1) },
			"rows":          func(r []*kernel.Tensor) error { return b.SumRows(r[5], x) },
			"statistics":    func(r []*kernel.Tensor) error { return b.GroupNormStats(r[7], x, 32, 1e-5) },
			"norm input": func(r []*kernel.Tensor) error {
				return b.GroupNormGradInput(r[0], x, stats, gamma, beta, dy, 32, true)
			},
			"norm parameters": func(r []*kernel.Tensor) error {
				return b.GroupNormGradParams(r[5], r[6], x, stats, gamma, beta, dy, 32, true)
			},
			"layer parameters": func(r []*kernel.Tensor) error { return b.LayerNormGradParams(r[5], r[6], x, dy, 1e-5) },
			"attention":        func(r []*kernel.Tensor) error { return b.Attention(r[0], r[8], x, x, dy, 2, false) },
			"attention gradient": func(r []*kernel.Tensor) error {
				return b.AttentionGrad(r[0], r[1], r[2], x, x, dy, o, lse, dy, 2, false)
			},
		}
		for name, call := range calls {
			first := results(dt)
			must(t, call(first))
			for range 5 {
				again := results(dt)
				must(t, call(again))
				for i := range first {
					if !bytes.Equal(first[i].Data, again[i].Data) {
						t.Fatalf("%s %v: result %d differs between runs", name, dt, i)
					}
				}
			}
		}
	}
}

func results(dt kernel.DType) []*kernel.Tensor {
	f := kernel.F32
	return []*kernel.Tensor{kernel.New(dt, 2, 24, 24, 64), kernel.New(dt, 2, 24, 24, 64), kernel.New(dt, 2, 24, 24, 64),
		kernel.New(f, 64, 64, 3, 3), kernel.New(f, 64, 64), kernel.New(f, 64), kernel.New(f, 64), kernel.New(f, 2, 32, 2), kernel.New(f, 2, 2, 576)}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func noise(dt kernel.DType, shape ...int) *kernel.Tensor {
	r := rand.New(rand.NewPCG(uint64(kernel.Len(shape)), 7))
	v := make([]float32, kernel.Len(shape))
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	t := kernel.New(dt, shape...)
	t.WriteF32(v)
	return t
}
