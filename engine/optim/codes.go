package optim

import (
	"math"
	"slices"
)

// codes is a map of 8-bit codes to numbers from -1 or 0 to 1.
type codes struct {
	value [256]float32
	// first is the code for the number whose upper 16 bits are the index and whose lower are 0.
	first [1 << 16]uint8
}

var signedCodes, unsignedCodes = newCodes(true), newCodes(false)

// newCodes makes the dynamic map of bitsandbytes (functional.py, create_dynamic_map): for each power of ten from 10⁻⁶ to
// 1, twice as many numbers as for the one below, in the middles of equal parts of its upper nine tenths; and 0 and 1.
func newCodes(signed bool) *codes {
	values := []float64{0, 1}
	for i := range 7 {
		parts := 1 << i
		if !signed {
			parts *= 2
		}
		scale := math.Pow(10, float64(i-6))
		for k := range parts {
			v := scale * (0.1 + 0.9*(float64(k)+0.5)/float64(parts))
			values = append(values, v)
			if signed {
				values = append(values, -v)
			}
		}
	}
	slices.Sort(values)
	c := &codes{}
	for i, v := range values {
		c.value[i] = float32(v)
	}
	for high := range c.first {
		c.first[high] = c.search(math.Float32frombits(uint32(high) << 16))
	}
	return c
}

// middle is between a code and the next.
func (c *codes) middle(code uint8) float32 { return (c.value[code] + c.value[code+1]) / 2 }

// search is the code nearest to x.
func (c *codes) search(x float32) uint8 {
	code := uint8(0)
	for code < 255 && x > c.middle(code) {
		code++
	}
	return code
}

// of is the code nearest to x/most; 0 where most is 0, as everything is then.
func (c *codes) of(x, most float32) uint8 {
	if most == 0 {
		return 0
	}
	x /= most
	code := c.first[math.Float32bits(x)>>16]
	for x > 0 && code < 255 && x > c.middle(code) {
		code++
	}
	for x < 0 && code > 0 && x <= c.middle(code-1) {
		code--
	}
	return code
}

// signOf is of, but does not turn a negative number into 0: bitsandbytes keeps the signs of first moments so.
func (c *codes) signOf(x, most float32) uint8 {
	code := c.of(x, most)
	if x < 0 && most > 0 && c.value[code] >= 0 {
		code--
	}
	return code
}
