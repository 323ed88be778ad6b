package kernel

import "math"

// BF16ToF32 widens a bfloat16; exact.
func BF16ToF32(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// F32ToBF16 rounds to the nearest bfloat16, ties to even; NaN stays NaN.
func F32ToBF16(f float32) uint16 {
	b := math.Float32bits(f)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + (b>>16)&1) >> 16)
}

// RoundBF16 rounds to one of the two nearest bfloat16, up in magnitude with the probability of the part that is cut off:
// the mean over uniformly drawn bits is v itself, so that steps too small for bfloat16 are not lost (stochastic rounding:
// Gupta et al., arXiv 1502.02551). Infinity and NaN stay.
func RoundBF16(v float32, bits uint16) uint16 {
	b := math.Float32bits(v)
	const exponent = 0x7f800000
	if b&exponent == exponent {
		return F32ToBF16(v)
	}
	if up := b + uint32(bits); up&exponent != exponent {
		return uint16(up >> 16)
	}
	return uint16(b >> 16) // would become infinite
}

// F16ToF32 widens an IEEE binary16; exact.
func F16ToF32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp, man := uint32(h>>10)&0x1f, uint32(h&0x3ff)
	switch {
	case exp == 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | man<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+112)<<23 | man<<13)
	}
	v := float32(man) * (1.0 / (1 << 24)) // subnormal: man * 2^-24
	if sign != 0 {
		return -v
	}
	return v
}

// F32ToF16 rounds to the nearest binary16, ties to even; what is too large becomes infinite.
func F32ToF16(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b>>16) & 0x8000
	b &= 0x7fffffff
	switch {
	case b > 0x7f800000:
		return sign | 0x7e00
	case b >= 0x477ff000: // rounds to 65536 or more
		return sign | 0x7c00
	case b < 0x38800000: // below 2^-14: subnormal, a multiple of 2^-24
		v := math.Float32frombits(b) * (1 << 24)
		return sign | uint16(math.RoundToEven(float64(v)))
	}
	b += 0xfff + (b>>13)&1
	return sign | uint16((b-(112<<23))>>13)
}
