package caption

import "math"

// Least is the smallest probability of a token, 0 to 1: where the captioner wavered most.
func (s Sentence) Least() float64 {
	least := 0.0
	for _, l := range s.Logs {
		least = min(least, l)
	}
	if len(s.Logs) == 0 {
		return 0
	}
	return math.Exp(least)
}

// threshold is the Confidence below which a picture is taken to be outside the built-in captioner's world.
const threshold = 0.8

// Unsure says that the built-in captioner is not to be trusted with this picture.
func (s Sentence) Unsure() bool { return s.Confidence() < threshold }
