// Package rng draws random numbers that are a pure function of (seed, step, purpose, index). There is no generator
// state: a resumed run repeats an uninterrupted one exactly, and drawing more numbers for one purpose moves no other.
//
// The generator is splitmix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014)
// used as a counter: number i of a stream is the mixing function at key + i·γ.
package rng

import "math/bits"

// gamma is splitmix64's increment, 2⁶⁴ divided by the golden ratio.
const gamma = 0x9E3779B97F4A7C15

// Purpose says what a number is for; each purpose has streams of its own. The values are part of a run's identity:
// add new ones at the end.
type Purpose uint64

// The purposes numbers are drawn for.
const (
	Noise      Purpose = iota // the noise added to latents in training
	Timestep                  // the diffusion timestep of a training example
	Shuffle                   // the order of pictures
	Latent                    // sampling a latent from the VAE's mean and variance
	Init                      // initial values of trained parameters
	Dropout                   // leaving out a caption or an element
	Preserve                  // which predictions of the untrained model a step repeats
	Sampler                   // the start and step noise of text-to-image sampling
	Offset                    // the shift of a picture's noise, channel by channel
	Pyramid                   // coarser noise
	Perturb                   // noise that the target does not tell of
	Caption                   // a template, and the order of a caption's parts
	View                      // where a picture is cut, and which cut a step sees
	Validation                // the noise of pictures held out
	Rounding                  // which way a value is rounded
)

// Mix is splitmix64's output for state x: it adds γ, then mixes. It is a bijection of the 64-bit numbers.
func Mix(x uint64) uint64 {
	x += gamma
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// key starts the stream of a seed, step and purpose. Each part is mixed before the next is added, so that
// neighbouring seeds, steps and purposes lead to unrelated keys.
func key(seed uint64, step int, purpose Purpose) uint64 {
	return Mix(Mix(Mix(seed)+uint64(step)) + uint64(purpose))
}

// Key is where the stream of Bits starts, for C code that draws the same: number j of the generator, at(Key, j), holds
// the bits 4j to 4j+3, the first in the lowest 16.
func Key(seed uint64, step int, purpose Purpose) uint64 { return key(seed, step, purpose) }

// at is number i of the stream that starts at key.
func at(key, i uint64) uint64 { return Mix(key + gamma*(i+1)) }

// unit maps 64 random bits to the open interval (0, 1).
func unit(v uint64) float64 { return (float64(v>>11) + 0.5) * (1.0 / (1 << 53)) }

// below maps 64 random bits to [0, n); its bias is below n/2⁶⁴.
func below(v uint64, n int) int {
	hi, _ := bits.Mul64(v, uint64(n))
	return int(hi)
}

// Uint64 is random number i of (seed, step, purpose), uniform over all 64-bit numbers.
func Uint64(seed uint64, step int, purpose Purpose, i uint64) uint64 {
	return at(key(seed, step, purpose), i)
}

// Float64 is random number i of (seed, step, purpose), uniform in the open interval (0, 1).
func Float64(seed uint64, step int, purpose Purpose, i uint64) float64 {
	return unit(Uint64(seed, step, purpose, i))
}

// Intn is random number i of (seed, step, purpose), uniform in [0, n). n must be positive; else it is 0.
func Intn(n int, seed uint64, step int, purpose Purpose, i uint64) int {
	return below(Uint64(seed, step, purpose, i), max(n, 1))
}

// Bits fills dst with random bits of (seed, step, purpose): its element i is number from+i, whatever from is. from is a
// multiple of 4.
func Bits(dst []uint16, seed uint64, step int, purpose Purpose, from uint64) {
	k := key(seed, step, purpose)
	for i := 0; i < len(dst); i += 4 {
		v := at(k, (from+uint64(i))/4)
		for j := i; j < min(i+4, len(dst)); j++ {
			dst[j] = uint16(v)
			v >>= 16
		}
	}
}

// Perm is a random order of 0 … n-1 (Fisher-Yates) for (seed, step, purpose).
func Perm(n int, seed uint64, step int, purpose Purpose) []int {
	order := make([]int, max(n, 0))
	k := key(seed, step, purpose)
	for i := range order {
		j := below(at(k, uint64(i)), i+1)
		order[i] = order[j]
		order[j] = i
	}
	return order
}
