package textualinversion

import (
	"math"
	"strings"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
)

const opStart = "begin word"

// word is one new word.
type word struct {
	name    string
	init    string // known words whose vectors it begins with
	first   int    // id of the first vector
	begin   start
	vectors *kernel.Tensor // F32 [n, width], trained
}

// start is what a word's training begins with.
type start struct {
	vectors *kernel.Tensor // F32 [n, width]
	norms   []float64      // mean length of the vectors that each of them was made of
}

// parameter is the name of the word's vectors among the trained tensors.
func (w *word) parameter() string { return "embedding." + w.name }

// wordsOf are the job's word and those of the setting "words".
func wordsOf(job engine.Job, init, further string) ([]*word, error) {
	if init == "" {
		init = job.Class
	}
	words := []*word{{name: strings.TrimSpace(job.Word), init: strings.TrimSpace(init)}}
	for _, text := range strings.Split(further, ",") {
		if strings.TrimSpace(text) == "" {
			continue
		}
		name, init, _ := strings.Cut(text, "=")
		w := &word{name: strings.TrimSpace(name), init: strings.TrimSpace(init)}
		for _, other := range words {
			if strings.EqualFold(other.name, w.name) {
				return nil, engine.Errorf(opStart, "", engine.BadInput, "the word %q is to be taught twice", w.name)
			}
		}
		words = append(words, w)
	}
	for _, w := range words {
		if w.init == "" {
			w.init = "*" // as A1111 begins where nothing is said
		}
	}
	return words, nil
}

// beginning is what a word begins with: the job's first word with the vectors of the file that training goes on from,
// where there is one, and otherwise with those of known words.
func beginning(m *model.Model, job engine.Job, w *word, isFirst bool, n int) (start, error) {
	if !isFirst || job.From == "" {
		return fromWords(m, w.init, n)
	}
	e, err := format.ReadEmbedding(job.From)
	if err != nil {
		return start{}, err
	}
	if err := method.FitEmbedding(m, e, job.From); err != nil {
		return start{}, err
	}
	if asked := job.Settings["vectors"]; asked != "" && n != e.Vectors.Rows() {
		return start{}, engine.Errorf(opStart, job.From, engine.BadInput, "it has %d vectors, which training keeps: leave out --vectors %s", e.Vectors.Rows(), asked)
	}
	s := start{vectors: e.Vectors}
	for i := range e.Vectors.Rows() {
		s.norms = append(s.norms, norm(row(e.Vectors, i)))
	}
	return s, nil
}

// fromWords spreads the vectors of known words over n new ones, in order: where there are fewer words, each begins several
// vectors (A1111, textual_inversion.py create_embedding); where there are more, neighbours are averaged.
func fromWords(m *model.Model, text string, n int) (start, error) {
	known, err := m.WordVectors(text)
	if err != nil {
		return start{}, err
	}
	k, width := known.Rows(), known.Channels()
	if known.Len() == 0 {
		return start{}, engine.Errorf(opStart, "", engine.BadInput, "%q holds no word to begin with; name one with --init", text)
	}
	s := start{vectors: kernel.New(kernel.F32, n, width)}
	for i := range n {
		from, to := i*k/n, max((i+1)*k/n, i*k/n+1)
		share, length := 1/float64(to-from), 0.0
		for j := from; j < to; j++ {
			for c, v := range row(known, j) {
				row(s.vectors, i)[c] += float32(share * float64(v))
			}
			length += share * norm(row(known, j))
		}
		s.norms = append(s.norms, length)
	}
	return s, nil
}

// row is vector i of a table.
func row(t *kernel.Tensor, i int) []float32 { return t.F32()[i*t.Channels():][:t.Channels()] }

func norm(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}
