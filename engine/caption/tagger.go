package caption

import (
	"cmp"
	"context"
	"image"
	"math"
	"slices"
	"strings"

	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model/tagger"
)

// surest are the probabilities above which a tag is taken, by its kind; of other kinds, such as ratings, none is. They are
// those that users of the WD taggers settled on (spec/captioner.md 1.4).
var surest = map[tagger.Kind]float64{tagger.General: 0.35, tagger.Character: 0.85}

// Tagger describes pictures in tags. All calls come from one OS thread, as those of its backend.
type Tagger struct {
	model         *tagger.Model
	vm            *graph.VM
	image, logits *graph.Node
}

// NewTagger makes a tagger of an opened model. dt is how activations are stored.
func NewTagger(m *tagger.Model, b kernel.Backend, dt kernel.DType) (*Tagger, error) {
	g := graph.New()
	t := &Tagger{model: m, image: g.Input("image", 1, m.Vision.ImageSize, m.Vision.ImageSize, 3)}
	t.logits = m.Build(g, t.image)
	var err error
	t.vm, err = graph.Compile(g, b, []*graph.Node{t.logits}, graph.Options{DType: dt})
	return t, err
}

// Describe finds a picture's tags, the likeliest first, with commas between them; perhaps none.
func (t *Tagger) Describe(ctx context.Context, img *image.NRGBA) (Sentence, error) {
	if err := t.vm.Let(t.image, SquarePixels(img, t.model.Vision.ImageSize, t.model.Mean, t.model.Std)); err != nil {
		return Sentence{}, err
	}
	if err := t.vm.Run(ctx); err != nil {
		return Sentence{}, err
	}
	return choose(t.model.Tags, t.vm.Value(t.logits).Floats()), nil
}

// choose takes the tags whose logits say that they are sure enough.
func choose(tags []tagger.Tag, logits []float32) Sentence {
	type found struct {
		text        string
		probability float64
	}
	var all []found
	for i, tag := range tags {
		p := 1 / (1 + math.Exp(-float64(logits[i])))
		if least, ok := surest[tag.Kind]; ok && p > least {
			all = append(all, found{tag.Text, p})
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(b.probability, a.probability) })
	var s Sentence
	var texts []string
	for _, f := range all {
		texts = append(texts, f.text)
		s.Logs = append(s.Logs, math.Log(f.probability))
	}
	s.Text = strings.Join(texts, ", ")
	return s
}

// Close frees the tagger's memory, not the model.
func (t *Tagger) Close() { t.vm.Close() }
