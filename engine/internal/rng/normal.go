package rng

import "math"

// Normal fills dst with independent draws of the standard normal distribution, those of (seed, step, purpose).
// A longer dst begins with the values of a shorter one.
func Normal(dst []float32, seed uint64, step int, purpose Purpose) {
	k := key(seed, step, purpose)
	for i := 0; i < len(dst); i += 2 {
		a, b := NormalPair(k, uint64(i/2))
		dst[i] = float32(a)
		if i+1 < len(dst) {
			dst[i+1] = float32(b)
		}
	}
}

// NormalPair is pair j of the normal stream that starts at key: its values 2j and 2j+1. The formula (Box and Muller,
// 1958) and its order of draws are part of the definition of the hypernetwork's frozen basis (golden README, kind B),
// which makes keys of its own with Mix.
func NormalPair(key, j uint64) (float64, float64) {
	radius := math.Sqrt(-2 * math.Log(unit(at(key, 2*j))))
	sin, cos := math.Sincos(2 * math.Pi * unit(at(key, 2*j+1)))
	return radius * cos, radius * sin
}
