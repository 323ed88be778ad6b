package caption

import (
	"math"
	"slices"
)

// process changes the scores of the next token, given the tokens so far: those of the prompt too.
type process func(ids []int32, scores []float32)

// never is the score of a token that may not follow.
var never = float32(math.Inf(-1))

// repetitionPenalty makes tokens less likely that were there before (Keskar et al., arXiv 1909.05858): a score above 0 is
// divided by penalty, one below is multiplied.
func repetitionPenalty(penalty float32) process {
	return func(ids []int32, scores []float32) {
		for i, id := range ids {
			if slices.Contains(ids[:i], id) {
				continue
			}
			if scores[id] > 0 {
				scores[id] /= penalty
			} else {
				scores[id] *= penalty
			}
		}
	}
}

// noRepeat forbids every token that would make n tokens in a row occur a second time.
func noRepeat(n int) process {
	return func(ids []int32, scores []float32) {
		if len(ids)+1 < n {
			return
		}
		last := ids[len(ids)-n+1:]
		for i := range len(ids) - n + 1 {
			if slices.Equal(ids[i:i+n-1], last) {
				scores[ids[i+n-1]] = never
			}
		}
	}
}

// minLength forbids the end before there are n tokens, those of the prompt included.
func minLength(n int, end int32) process {
	return func(ids []int32, scores []float32) {
		if len(ids) < n {
			scores[end] = never
		}
	}
}

// logSoftmax turns logits into logarithms of probabilities, in place.
func logSoftmax(logits []float32) {
	largest := slices.Max(logits)
	sum := 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v - largest))
	}
	log := largest + float32(math.Log(sum))
	for i := range logits {
		logits[i] -= log
	}
}
