package caption

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// writer continues texts by a token.
type writer interface {
	// next is given, for each text that is to go on, which of the texts of the call before it continues and its newest
	// tokens: at first one text with the prompt, then any number with a token each. It returns the logits of the token
	// that follows each, which the caller may change.
	next(ctx context.Context, parents []int, tokens [][]int32) ([][]float32, error)
}

// search is how a text is found.
type search struct {
	prompt    []int32
	end       int32
	beams     int
	maxLength int     // tokens, those of the prompt included
	penalty   float64 // a text's score is divided by the number of its new tokens to this power
	processes []process
}

// text is what was found or is being written.
type text struct {
	ids    []int32   // with the prompt
	logs   []float64 // of the probability of each new token, before any process
	score  float64
	parent int // whose continuation it is
}

// complete says that a text has ended, or may not become longer.
func (s *search) complete(t text) bool {
	return t.ids[len(t.ids)-1] == s.end || len(t.ids) >= s.maxLength
}

func (s *search) process(ids []int32, scores []float32) {
	for _, p := range s.processes {
		p(ids, scores)
	}
}

// greedy takes the likeliest token each time, as transformers' greedy search.
func (s *search) greedy(ctx context.Context, w writer) (text, error) {
	t := text{ids: slices.Clone(s.prompt)}
	newest := s.prompt
	for !s.complete(t) {
		logits, err := w.next(ctx, []int{0}, [][]int32{newest})
		if err != nil {
			return text{}, err
		}
		scores := logits[0]
		logs := slices.Clone(scores)
		logSoftmax(logs)
		s.process(t.ids, scores)
		best := likeliest(scores)
		t.ids, t.logs = append(t.ids, int32(best)), append(t.logs, float64(logs[best]))
		newest = t.ids[len(t.ids)-1:]
	}
	return t, nil
}

func likeliest(scores []float32) int {
	best := 0
	for i, v := range scores {
		if v > scores[best] {
			best = i
		}
	}
	return best
}

// beam keeps the likeliest texts of each length, as transformers' beam search (5.x, without early stopping): of twice as
// many continuations as there are beams those that are complete count if they are among the first half, the best others
// go on; it ends when no open text can become better than the worst complete one.
func (s *search) beam(ctx context.Context, w writer) (text, error) {
	open := []text{{ids: slices.Clone(s.prompt)}}
	newest := [][]int32{s.prompt}
	parents := []int{0}
	var done []text
	for {
		logits, err := w.next(ctx, parents, newest)
		if err != nil {
			return text{}, err
		}
		last := open[0]
		open, done = s.sort(s.continuations(open, logits), done)
		switch {
		case len(open) == 0 && len(done) == 0: // nothing may follow
			return last, nil
		case len(open) == 0 || !s.hopeful(open[0], done):
			return done[0], nil
		}
		parents, newest = nil, nil
		for _, t := range open {
			parents, newest = append(parents, t.parent), append(newest, t.ids[len(t.ids)-1:])
		}
	}
}

// continuations are the best of all texts with one more token, the best first.
func (s *search) continuations(open []text, logits [][]float32) []text {
	type candidate struct {
		from, id int
		score    float64
		log      float64
	}
	var best []candidate
	for from, scores := range logits {
		logSoftmax(scores)
		logs := slices.Clone(scores)
		s.process(open[from].ids, scores)
		for id, v := range scores {
			score := open[from].score + float64(v)
			if len(best) == 2*s.beams && score <= best[len(best)-1].score || v == never {
				continue
			}
			at, _ := slices.BinarySearchFunc(best, score, func(c candidate, score float64) int {
				if c.score >= score { // of equal ones the first stays first
					return -1
				}
				return 1
			})
			best = slices.Insert(best, at, candidate{from, id, score, float64(logs[id])})
			best = best[:min(len(best), 2*s.beams)]
		}
	}
	var texts []text
	for _, c := range best {
		t := open[c.from]
		texts = append(texts, text{ids: append(slices.Clone(t.ids), int32(c.id)), logs: append(slices.Clone(t.logs), c.log), score: c.score, parent: c.from})
	}
	return texts
}

// sort parts the continuations into those that go on and those that are done.
func (s *search) sort(candidates, done []text) (open, best []text) {
	for rank, t := range candidates {
		switch {
		case !s.complete(t):
			open = append(open, t)
		case rank < s.beams:
			t.score /= s.length(t)
			done = append(done, t)
		}
	}
	slices.SortStableFunc(done, func(a, b text) int { return cmp.Compare(b.score, a.score) })
	return open[:min(len(open), s.beams)], done[:min(len(done), s.beams)]
}

// length is what the sum of a text's logarithms is divided by.
func (s *search) length(t text) float64 {
	return math.Pow(float64(len(t.ids)-len(s.prompt)), s.penalty)
}

// hopeful says whether the best open text could still displace a complete one.
func (s *search) hopeful(best text, done []text) bool {
	return len(done) < s.beams || best.score/s.length(best) > done[len(done)-1].score
}
