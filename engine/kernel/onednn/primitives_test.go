//go:build cgo && linux && amd64

package onednn_test

import (
	"slices"
	"testing"

	"easel/engine/kernel"
)

// TestMorePrimitivesThanAreKept: a cache that starts anew forgets what it frees, and must not take a frozen weight's packed
// forms along. Weight gradients are oneDNN's on all processors, other products on those with AMX.
func TestMorePrimitivesThanAreKept(t *testing.T) {
	b := open(t)
	x, y, w, dw := noise(kernel.F32, 3, 5), noise(kernel.F32, 3, 7), noise(kernel.F32, 7, 5), kernel.New(kernel.F32, 7, 5)
	out := kernel.New(kernel.F32, 3, 7)
	w.Frozen = true
	results := func(alpha float32) []float32 {
		must(t, b.LinearGradWeight(dw, x, y, alpha))
		must(t, b.Linear(out, x, w, nil, nil, alpha))
		return slices.Concat(dw.Floats(), out.Floats())
	}
	want := results(1)
	for i := range 4200 { // each alpha is a primitive
		results(2 + float32(i))
	}
	for _, alpha := range []float32{1, 2, 4201} { // the first two were freed, the last was not
		for i, v := range results(alpha) {
			if d := v - alpha*want[i]; d > 1e-5*alpha || d < -1e-5*alpha {
				t.Fatalf("for alpha %g element %d is %g, want %g", alpha, i, v, alpha*want[i])
			}
		}
	}
}
