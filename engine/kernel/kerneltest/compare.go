package kerneltest

import (
	"fmt"
	"math"
)

const (
	// A float32 result may differ from the reference's by this part of the largest value: sums of some thousand
	// float32 products in any order stay well within it.
	rel32 = 1e-5
	// A bfloat16 has 8 significant bits: rounding to nearest errs by at most 2^-8 of the element, so of the largest.
	relBF16 = 1.0 / 256
)

// bound is the largest difference allowed, as a part of the largest value. steps counts the bfloat16 roundings
// allowed in the worst place: 0 where the result and all that leads to it is float32 (or exact).
func bound(steps float64) float64 { return rel32 + steps*relBF16 }

// difference returns an error where |got-want| anywhere exceeds rel times the largest |want|, or times scale where
// that is more.
func difference(got, want []float32, rel, scale float64) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d values, want %d", len(got), len(want))
	}
	largest, worst, at := scale, 0.0, 0
	for i, w := range want {
		largest = max(largest, math.Abs(float64(w)))
		d := math.Abs(float64(got[i]) - float64(w))
		if math.IsNaN(d) {
			d = math.Inf(1)
		}
		if d > worst {
			worst, at = d, i
		}
	}
	if worst > rel*largest {
		return fmt.Errorf("element %d is %g, want %g: off by %.2g, allowed %.2g", at, got[at], want[at], worst, rel*largest)
	}
	return nil
}
