//go:build cgo && linux && amd64

package onednn_test

import (
	"testing"

	"easel/engine/kernel"
)

// TestMorePrimitivesThanAreKept: a cache that starts anew must not take a frozen weight's packed forms along.
func TestMorePrimitivesThanAreKept(t *testing.T) {
	b := open(t)
	x, y, w := noise(kernel.F32, 3, 5), kernel.New(kernel.F32, 3, 7), noise(kernel.F32, 7, 5)
	w.Frozen = true
	must(t, b.Linear(y, x, w, nil, nil, 1))
	want := y.Floats()
	for i := range 4200 {
		must(t, b.Linear(y, x, w, nil, nil, 2+float32(i)))
	}
	must(t, b.Linear(y, x, w, nil, nil, 2))
	for i, v := range y.F32() {
		if v != 2*want[i] {
			t.Fatalf("element %d is %g, want %g", i, v, 2*want[i])
		}
	}
}
