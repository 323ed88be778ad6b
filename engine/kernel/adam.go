package kernel

import "math"

// AdamBlock is how many numbers of an 8-bit moment share a scale: the largest of them in magnitude.
const AdamBlock = 256

// AdamBlocks is the number of scales of n numbers.
func AdamBlocks(n int) int { return (n + AdamBlock - 1) / AdamBlock }

// AdamStep holds the numbers of one AdamW step (Loshchilov and Hutter, arXiv 1711.05101; torch.optim.AdamW).
type AdamStep struct {
	Rate, Beta1, Beta2, Eps, WeightDecay float32
	Step                                 int      // 1 for the first
	GradScale                            float32  // multiplies the gradient first (clipping)
	Rounding                             Rounding // of BF16 parameters
}

// Rounding names the random bits by which values are rounded to BF16: those of rng.Bits for the purpose rng.Rounding,
// value i by number i.
type Rounding struct {
	Seed uint64
	Step int
}

// Factors are what Adam8 multiplies by: a value by keep; m by rate, and √v by correct, which hold the corrections of the
// first steps.
func (h AdamStep) Factors() (keep, rate, correct float32) {
	keep = float32(1 - float64(h.Rate)*float64(h.WeightDecay))
	rate = float32(float64(h.Rate) / (1 - math.Pow(float64(h.Beta1), float64(h.Step))))
	correct = float32(1 / math.Sqrt(1-math.Pow(float64(h.Beta2), float64(h.Step))))
	return keep, rate, correct
}
