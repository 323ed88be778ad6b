//go:build cgo && linux && amd64

package onednn_test

import (
	"fmt"
	"math"
	"os"
	"testing"

	"easel/engine"
	"easel/engine/kernel"
	"easel/engine/kernel/kerneltest"
	"easel/engine/kernel/onednn"
)

// openFixed starts a backend whose 3x3 convolutions all run by one algorithm.
func openFixed(t testing.TB, algorithm string) kernel.Backend {
	b, err := onednn.New(onednn.Options{ISA: os.Getenv(capVariable), Convolution: algorithm})
	must(t, err)
	t.Cleanup(func() { b.Close() })
	return b
}

func TestWinograd(t *testing.T) { kerneltest.Run(t, openFixed(t, "winograd"), kerneltest.Options{}) }

// winogradError is what F(4x4,3x3) may lose, as a part of the largest value, in sums of so many terms: input channels,
// for the weight's gradient tiles. At each of the 36 points a sum gathers float32 rounding errors in a random walk,
// 2^-25·√terms of its own size. The transforms make them up to 9 times as large, beside the result, as in a direct sum
// (7 for the weight's gradient): the root mean square over the points of |row of B|·|row of G|·|element of A|, squared
// for two dimensions, at the worst of the 16 pixels. Largest and usual value are about as far apart in the errors as in
// the result. This is twice that.
func winogradError(terms int) float64 { return 9 * math.Sqrt(float64(terms)) / (1 << 24) }

// TestWinogradInParts compares with direct convolution where the work falls into several parts: chunks of tiles, tasks,
// and channels summed in turn.
func TestWinogradInParts(t *testing.T) {
	for _, s := range []struct{ batch, h, w, in, out int }{{1, 9, 70, 300, 40}, {3, 65, 66, 150, 33}, {1, 16, 16, 1000, 100}} {
		for _, dt := range []kernel.DType{kernel.F32, kernel.BF16} {
			t.Run(fmt.Sprintf("%v/%v", s, dt), func(t *testing.T) {
				x, dy := noise(kernel.F32, s.batch, s.h, s.w, s.in), noise(kernel.F32, s.batch, s.h, s.w, s.out)
				w, bias := noise(kernel.F32, s.out, s.in, 3, 3), noise(kernel.F32, s.out)
				want := convolved(t, openFixed(t, "direct"), kernel.F32, x, dy, w, bias)
				got := convolved(t, openFixed(t, "winograd"), dt, x, dy, w, bias)
				for i, terms := range []int{s.in, s.out, s.batch * s.h * s.w / 16} {
					part := winogradError(terms)
					if dt == kernel.BF16 {
						part += 2.0 / 256 // operands and result are rounded
					}
					near(t, got[i], want[i], part)
				}
			})
		}
	}
}

// convolved is the result and both gradients of a convolution stored in a type.
func convolved(t *testing.T, b kernel.Backend, dt kernel.DType, x, dy, w, bias *kernel.Tensor) [][]float32 {
	x, dy = x.Convert(dt), dy.Convert(dt)
	y, dx, dw := kernel.New(dt, dy.Shape...), kernel.New(dt, x.Shape...), kernel.New(kernel.F32, w.Shape...)
	c := kernel.Conv{Stride: 1, Top: 1, Left: 1, Bottom: 1, Right: 1}
	must(t, b.Conv2D(y, x, w, bias, dy, c))
	must(t, b.Conv2DGradInput(dx, dy, w, c))
	must(t, b.Conv2DGradWeight(dw, x, dy, c))
	return [][]float32{y.Floats(), dx.Floats(), dw.Floats()}
}

// near fails where values differ by more than a part of the largest.
func near(t *testing.T, got, want []float32, part float64) {
	t.Helper()
	var largest, worst float64
	for i, v := range want {
		largest = max(largest, math.Abs(float64(v)))
		worst = max(worst, math.Abs(float64(got[i]-v)))
	}
	if !(worst <= part*largest) {
		t.Errorf("off by %.2g of the largest value %.3g, allowed %.2g", worst/largest, largest, part)
	}
}

func TestUnknownConvolution(t *testing.T) {
	if _, err := onednn.New(onednn.Options{Convolution: "fft"}); engine.KindOf(err) != engine.BadInput {
		t.Errorf("got %v, want bad input", err)
	}
}
