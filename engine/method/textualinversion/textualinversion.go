// Package textualinversion teaches the text encoder a new word: the loss updates the vectors that stand for it in a
// prompt, and nothing else (Gal et al., arXiv 2208.01618). The new vectors lie in a table of their own, whose rows follow
// the text encoder's; so the rows of other words are untouched to the bit.
package textualinversion

import (
	"math"
	"strconv"

	"easel/engine"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
)

func init() { method.Register(textualInversion{}) }

type textualInversion struct{}

// The forms of file.
const (
	a1111     = "a1111"
	diffusers = "diffusers"
	torch     = "pt"
)

// Info implements method.Method.
func (textualInversion) Info() engine.MethodInfo {
	return engine.MethodInfo{
		Name:    "textual-inversion",
		Title:   "Textual Inversion",
		Updates: "the vectors of a new word in the prompt; the model itself stays as it is",
		Element: engine.WordEmbedding,
		Good:    "teaches a word that other prompts never notice, in a file of a few kilobytes",
		Harm:    "can only call what the model is able to draw already: the likeness is the loosest of all methods",
		Files: []engine.FileForm{
			{Name: a1111, Ending: ".safetensors", Title: "embedding for A1111, Forge and ComfyUI, which call it by the file's name"},
			{Name: diffusers, Ending: ".safetensors", Title: "embedding for diffusers, called by the word"},
			{Name: torch, Ending: ".pt", Title: "embedding for old A1111"},
		},
		Settings: []engine.Setting{
			{Name: "vectors", Default: "2", Help: "vectors for the new word, 1 to 75: each takes the place of one of the 75 tokens of a prompt"},
			{Name: "init", Help: "known word or words whose vectors training begins with; empty takes the class noun"},
			{Name: "words", Help: "further new words, each trained where captions hold it: zorbit-style=painting,blorp=robot"},
			{Name: "keep-norm", Default: "off", Choices: []string{"off", "on"},
				Help: "hold every vector at the length of the words it began with, so that it cannot drown the rest of a prompt"},
		},
	}
}

// Start implements method.Method.
func (ti textualInversion) Start(m *model.Model, job engine.Job) (method.Tuning, error) {
	s := method.ReadSettings(ti.Info(), job.Settings)
	t := &tuning{settings: s.All(), keepNorm: s.Text("keep-norm") == "on"}
	n := s.Int("vectors", 2, 1, 75)
	if s.Err != nil {
		return nil, s.Err
	}
	wanted, err := wordsOf(job, s.Text("init"), s.Text("words"))
	if err != nil {
		return nil, err
	}
	for i, w := range wanted {
		begin, err := beginning(m, job, w, i == 0, n)
		if err != nil {
			return nil, err
		}
		if w.first, err = m.AddWord(w.name, begin.vectors.Rows()); err != nil {
			return nil, err
		}
		w.begin, w.vectors = begin, begin.vectors.Clone()
		t.words = append(t.words, w)
	}
	t.settings["init"], t.settings["vectors"] = wanted[0].init, strconv.Itoa(wanted[0].vectors.Rows())
	return t, nil
}

// tuning implements method.Tuning.
type tuning struct {
	model.Unchanged
	settings map[string]string
	keepNorm bool
	words    []*word // that of the job first
}

// Embed implements model.Adapter: it fills the places of the new words.
func (t *tuning) Embed(g *graph.Graph, ids, h *graph.Node) *graph.Node {
	for _, w := range t.words {
		vectors := g.Leaf(w.parameter())
		if vectors == nil {
			vectors = g.Parameter(w.parameter(), w.vectors)
		}
		h = g.Add(h, g.Embedding(ids, vectors, w.first))
	}
	return h
}

// Settings implements method.Tuning.
func (t *tuning) Settings() map[string]string { return t.settings }

// TrainsText implements method.Tuning: the text encoder stays frozen, but what comes out of it changes.
func (t *tuning) TrainsText() bool { return true }

// Parameters implements method.Tuning.
func (t *tuning) Parameters() []method.Parameter {
	var ps []method.Parameter
	for _, w := range t.words {
		ps = append(ps, method.Parameter{Name: w.parameter(), Value: w.vectors, Rate: 1})
	}
	return ps
}

// WeightChange implements method.Tuning: of the vectors, from those they began with.
func (t *tuning) WeightChange() float64 {
	var change, all float64
	for _, w := range t.words {
		begin := w.begin.vectors.F32()
		for i, v := range w.vectors.F32() {
			d, b := float64(v-begin[i]), float64(begin[i])
			change, all = change+d*d, all+b*b
		}
	}
	if all == 0 {
		return 0
	}
	return math.Sqrt(change / all)
}

// BeforeStep implements method.Tuning.
func (t *tuning) BeforeStep(int) {}

// AfterStep implements method.Tuning: it brings vectors back to their length, where that is to be kept.
func (t *tuning) AfterStep(int) {
	if !t.keepNorm {
		return
	}
	for _, w := range t.words {
		for i, want := range w.begin.norms {
			v := row(w.vectors, i)
			if have := norm(v); have > 0 {
				for k := range v {
					v[k] *= float32(want / have)
				}
			}
		}
	}
}

// FileBytes is the expected size of a file: vectors are stored in float32, whatever the job asks for. They are few.
func (t *tuning) FileBytes(kernel.DType) int64 { return int64(4 * t.words[0].vectors.Len()) }
