package kernel

import (
	"math"
	"slices"
	"sync"
)

// Code8 is a map of 8-bit codes to numbers: bitsandbytes' dynamic map (Dettmers et al., arXiv 2110.02861; functional.py,
// create_dynamic_map). For each power of ten from 10⁻⁶ to 1 it has twice as many numbers as for the one below, in the
// middles of equal parts of its upper nine tenths; and 0 and 1. Code Zero+j is magnitude j, and in a signed map Zero-j
// its negative, which 1 lacks.
type Code8 struct {
	Zero      int
	Magnitude []float32 // rising, 0 to 1
}

// The maps of the first moment and of the second.
var (
	SignedCode8   = sync.OnceValue(func() Code8 { return newCode8(127, 1) })
	UnsignedCode8 = sync.OnceValue(func() Code8 { return newCode8(0, 2) })
)

func newCode8(zero, least int) Code8 {
	values := []float32{0, 1}
	for i := range 7 {
		parts := least << i
		for k := range parts {
			v := math.Pow(10, float64(i-6)) * (0.1 + 0.9*(float64(k)+0.5)/float64(parts))
			values = append(values, float32(v))
		}
	}
	slices.Sort(values)
	return Code8{zero, values}
}

// Value is the number of a code.
func (c Code8) Value(code uint8) float32 {
	if j := int(code) - c.Zero; j < 0 {
		return -c.Magnitude[-j]
	} else {
		return c.Magnitude[j]
	}
}

// Edge is the largest number that becomes magnitude j rather than j+1: the one between them.
func (c Code8) Edge(j int) float32 {
	if j+1 == len(c.Magnitude) {
		return float32(math.Inf(1))
	}
	return (c.Magnitude[j] + c.Magnitude[j+1]) / 2
}
