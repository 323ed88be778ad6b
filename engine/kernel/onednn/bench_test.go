//go:build cgo && linux && amd64

package onednn_test

import (
	"fmt"
	"testing"

	"easel/engine/kernel"
)

// measure reports the rate of a call of so many floating point operations, or of bytes moved where flops is 0.
func measure(b *testing.B, flops float64, call func() error) {
	must(b, call()) // packs weights, makes primitives
	for b.Loop() {
		must(b, call())
	}
	b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

func BenchmarkLinear(b *testing.B) {
	k := open(b)
	for _, s := range []struct{ rows, in, out int }{{1024, 96, 96}, {1024, 96, 8}, {1024, 8, 96}, {256, 192, 1536}, {4096, 320, 320}, {4096, 320, 2560}} {
		for _, dt := range []kernel.DType{kernel.F32, kernel.BF16} {
			for _, frozen := range []bool{true, false} {
				x, y, w, dw := noise(dt, s.rows, s.in), noise(dt, s.rows, s.out), noise(kernel.F32, s.out, s.in), kernel.New(kernel.F32, s.out, s.in)
				w.Frozen = frozen
				name := fmt.Sprintf("%dx%dx%d/%v/frozen=%v/", s.rows, s.in, s.out, dt, frozen)
				flops := 2 * float64(s.rows*s.in*s.out)
				b.Run(name+"forward", func(b *testing.B) { measure(b, flops, func() error { return k.Linear(y, x, w, nil, nil, 1) }) })
				b.Run(name+"forwardAdd", func(b *testing.B) { measure(b, flops, func() error { return k.Linear(y, x, w, nil, y, 0.5) }) })
				b.Run(name+"input", func(b *testing.B) { measure(b, flops, func() error { return k.LinearGradInput(x, y, w, nil, 1) }) })
				if !frozen {
					b.Run(name+"weight", func(b *testing.B) { measure(b, flops, func() error { return k.LinearGradWeight(dw, x, y, 1) }) })
				}
			}
		}
	}
}

func BenchmarkConv(b *testing.B) {
	k := open(b)
	c := kernel.Conv{Stride: 1, Top: 1, Left: 1, Bottom: 1, Right: 1}
	for _, s := range []struct{ batch, size, in, out int }{{1, 64, 320, 320}, {4, 16, 96, 96}, {4, 8, 192, 192}, {4, 4, 256, 256}} {
		for _, dt := range []kernel.DType{kernel.F32, kernel.BF16} {
			x, y := noise(dt, s.batch, s.size, s.size, s.in), noise(dt, s.batch, s.size, s.size, s.out)
			w, dw := noise(kernel.F32, s.out, s.in, 3, 3), kernel.New(kernel.F32, s.out, s.in, 3, 3)
			w.Frozen = true
			name := fmt.Sprintf("%dx%dx%d-%d/%v/", s.batch, s.size, s.in, s.out, dt)
			flops := 18 * float64(y.Len()*s.in)
			b.Run(name+"forward", func(b *testing.B) { measure(b, flops, func() error { return k.Conv2D(y, x, w, nil, nil, c) }) })
			b.Run(name+"input", func(b *testing.B) { measure(b, flops, func() error { return k.Conv2DGradInput(x, y, w, c) }) })
			b.Run(name+"weight", func(b *testing.B) { measure(b, flops, func() error { return k.Conv2DGradWeight(dw, x, y, c) }) })
		}
	}
}

// BenchmarkAlgorithms sets direct convolution and Winograd's beside each other at the shapes of SD 1.5 at 512 pixels, UNet
// and VAE; rates count a direct convolution's operations.
func BenchmarkAlgorithms(b *testing.B) {
	c := kernel.Conv{Stride: 1, Top: 1, Left: 1, Bottom: 1, Right: 1}
	for _, s := range []struct{ in, out, size int }{
		{320, 320, 64}, {640, 320, 64}, {960, 320, 64}, {320, 640, 32}, {640, 640, 32}, {1280, 640, 32}, {1920, 640, 32}, {640, 1280, 16}, {1280, 1280, 16},
		{2560, 1280, 16}, {1280, 1280, 8}, {2560, 1280, 8}, {128, 128, 256}, {128, 128, 512}, {256, 256, 256}, {512, 128, 512}} {
		for _, dt := range []kernel.DType{kernel.F32, kernel.BF16} {
			x, y := noise(dt, 1, s.size, s.size, s.in), noise(dt, 1, s.size, s.size, s.out)
			w, dw := noise(dt, s.out, s.in, 3, 3), kernel.New(kernel.F32, s.out, s.in, 3, 3)
			flops := 18 * float64(y.Len()*s.in)
			for _, algorithm := range []string{"direct", "winograd"} {
				k := openFixed(b, algorithm)
				w := &kernel.Tensor{Shape: w.Shape, DType: dt, Data: w.Data, Frozen: true}
				name := fmt.Sprintf("%d-%d@%d/%v/%%s/%s", s.in, s.out, s.size, dt, algorithm)
				b.Run(fmt.Sprintf(name, "forward"), func(b *testing.B) { measure(b, flops, func() error { return k.Conv2D(y, x, w, nil, nil, c) }) })
				b.Run(fmt.Sprintf(name, "input"), func(b *testing.B) { measure(b, flops, func() error { return k.Conv2DGradInput(x, y, w, c) }) })
				b.Run(fmt.Sprintf(name, "weight"), func(b *testing.B) { measure(b, flops, func() error { return k.Conv2DGradWeight(dw, x, y, c) }) })
			}
		}
	}
}

func BenchmarkAttention(b *testing.B) {
	k := open(b)
	for _, s := range []struct{ batch, tq, tk, heads, d int }{{1, 4096, 4096, 8, 40}, {1, 4096, 77, 8, 40}, {4, 256, 256, 4, 24}, {4, 64, 64, 8, 24}, {1, 1024, 1024, 1, 512}} {
		for _, dt := range []kernel.DType{kernel.F32, kernel.BF16} {
			c := s.heads * s.d
			q, kk, v, o := noise(dt, s.batch, s.tq, c), noise(dt, s.batch, s.tk, c), noise(dt, s.batch, s.tk, c), noise(dt, s.batch, s.tq, c)
			lse := kernel.New(kernel.F32, s.batch, s.heads, s.tq)
			name := fmt.Sprintf("%dx%dx%dx%dx%d/%v/", s.batch, s.tq, s.tk, s.heads, s.d, dt)
			flops := 4 * float64(s.batch*s.tq*s.tk*c)
			dq, dk, dv := kernel.New(dt, q.Shape...), kernel.New(dt, v.Shape...), kernel.New(dt, v.Shape...)
			b.Run(name+"forward", func(b *testing.B) {
				measure(b, flops, func() error { return k.Attention(o, lse, q, kk, v, s.heads, false) })
			})
			b.Run(name+"backward", func(b *testing.B) {
				measure(b, 2.5*flops, func() error { return k.AttentionGrad(dq, dk, dv, q, kk, v, o, lse, o, s.heads, false) })
			})
		}
	}
}

func BenchmarkNorms(b *testing.B) {
	k := open(b)
	for _, s := range []struct{ batch, size, c int }{{1, 64, 320}, {4, 16, 96}} {
		for _, dt := range []kernel.DType{kernel.F32, kernel.BF16} {
			x, y := noise(dt, s.batch, s.size, s.size, s.c), noise(dt, s.batch, s.size, s.size, s.c)
			gamma, beta, stats := noise(kernel.F32, s.c), noise(kernel.F32, s.c), kernel.New(kernel.F32, s.batch, 32, 2)
			wide, gate := noise(dt, s.batch*s.size*s.size, 8*s.c), noise(dt, s.batch*s.size*s.size, 4*s.c)
			name := fmt.Sprintf("%dx%dx%d/%v/", s.batch, s.size, s.c, dt)
			n := float64(x.Len())
			b.Run(name+"groupStats", func(b *testing.B) { measure(b, n, func() error { return k.GroupNormStats(stats, x, 32, 1e-5) }) })
			b.Run(name+"groupNormSiLU", func(b *testing.B) {
				measure(b, n, func() error { return k.GroupNorm(y, x, stats, gamma, beta, 32, true) })
			})
			b.Run(name+"groupNormGrad", func(b *testing.B) {
				measure(b, n, func() error { return k.GroupNormGradInput(y, x, stats, gamma, beta, y, 32, true) })
			})
			b.Run(name+"layerNorm", func(b *testing.B) { measure(b, n, func() error { return k.LayerNorm(y, x, gamma, beta, 1e-5) }) })
			b.Run(name+"layerNormGrad", func(b *testing.B) { measure(b, n, func() error { return k.LayerNormGradInput(y, x, gamma, x, 1e-5) }) })
			b.Run(name+"GEGLU", func(b *testing.B) { measure(b, 4*n, func() error { return k.GEGLU(gate, wide) }) })
			b.Run(name+"GEGLUGrad", func(b *testing.B) { measure(b, 4*n, func() error { return k.GEGLUGrad(wide, wide, gate) }) })
			b.Run(name+"add", func(b *testing.B) { measure(b, n, func() error { return k.Add(y, x, y, 1) }) })
		}
	}
}
