package local

import (
	"cmp"
	"context"
	"errors"
	"image"
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/sample"
)

// measure compares the first and last rows of the grid.
func (g *grid) measure(ctx context.Context, s *engine.Summary) error {
	if g.rows[0].Step != 0 {
		g.s.warn(errors.New("the pictures of step 0 are lost, so likeness and drift cannot be measured"))
		return nil
	}
	first, last := g.rows[0].images, g.rows[len(g.rows)-1].images
	both := min(len(first), len(last)) // a column that was added at last may not be in both
	var subject []int
	var drift []float64
	for i, p := range g.prompts[:both] {
		if names(p, g.s.job.Word) {
			subject = append(subject, i)
		} else {
			drift = append(drift, difference(first[i], last[i]))
		}
	}
	s.Drift = mean(drift)
	if len(subject) == 0 {
		return nil
	}
	err := g.likeness(ctx, s, pick(first, subject), pick(last, subject))
	if err == nil || engine.KindOf(err) == engine.Cancelled {
		return err
	}
	// The run's result does not hang on this number.
	g.s.emit(engine.Event{Kind: engine.KindWarning, Warning: &engine.WarningEvent{Text: "the likeness could not be measured and is given as 0: " + err.Error()}})
	return nil
}

// names says whether a prompt has the word, as a word.
func names(prompt, word string) bool {
	return strings.Contains(" "+strings.Join(strings.FieldsFunc(prompt, func(c rune) bool { return c == ' ' || c == ',' || c == '.' }), " ")+" ", " "+word+" ")
}

func pick(pictures []image.Image, columns []int) (picked []image.Image) {
	for _, i := range columns {
		picked = append(picked, pictures[i])
	}
	return picked
}

// likeness measures the likeness of pictures of the subject before and after training, with the untrained model.
func (g *grid) likeness(ctx context.Context, s *engine.Summary, before, after []image.Image) error {
	training, err := g.training()
	if err != nil {
		return err
	}
	base := g.s.pipeline.renderer(g.s.pipeline.model.Untrained())
	defer base.Close()
	l, err := sample.NewLikeness(ctx, base, training, func(ctx context.Context) ([]image.Image, error) { return g.bare(ctx, base) })
	if err != nil {
		return err
	}
	b, err := meanLikeness(ctx, l, before)
	if err != nil {
		return err
	}
	a, err := meanLikeness(ctx, l, after)
	if err != nil {
		return err
	}
	s.LikenessBefore, s.LikenessAfter, s.LikenessOwn = b, a, l.Own()
	return nil
}

func meanLikeness(ctx context.Context, l *sample.Likeness, pictures []image.Image) (float64, error) {
	var each []float64
	for _, p := range pictures {
		v, err := l.Of(ctx, p)
		if err != nil {
			return 0, err
		}
		each = append(each, v)
	}
	return mean(each), nil
}

// mostTraining is how many training pictures others are compared with.
const mostTraining = 16

// training reads training pictures, evenly from all, as squares of the model's resolution.
func (g *grid) training() (pictures [][]float32, err error) {
	items := g.s.pictures.Items
	n := min(len(items), mostTraining)
	for i := range n {
		it := items[i*len(items)/n]
		it.Width, it.Height = g.s.pipeline.model.Resolution(), g.s.pipeline.model.Resolution()
		p, err := it.Pixels()
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, p)
	}
	return pictures, nil
}

// grounds are the backgrounds of pictures of the class without the subject: what counts as no likeness.
var grounds = []string{"red", "blue", "green", "white", "yellow", "gray"}

// bare renders pictures of the class by the untrained model, with seeds that follow the grid's. It renders no more at a
// time than the grid has columns, and so needs no more memory.
func (g *grid) bare(ctx context.Context, base *sample.Renderer) (pictures []image.Image, err error) {
	job, side := g.s.job, g.s.pipeline.model.Resolution()
	job.Class = cmp.Or(job.Class, "thing")
	seed := g.seed(len(g.prompts))
	for some := range slices.Chunk(grounds, len(g.prompts)) {
		q := sample.Request{Sampler: gridSampler, Steps: job.SampleSteps, Guidance: job.Guidance, Width: side, Height: side}
		for _, ground := range some {
			q.Prompts = append(q.Prompts, "a photo of a "+job.Class+" on a "+ground+" background")
			q.Seeds = append(q.Seeds, seed)
			seed++
		}
		rendered, err := base.Render(ctx, q, func(int) {})
		if err != nil {
			return nil, err
		}
		for _, p := range rendered {
			pictures = append(pictures, p)
		}
	}
	return pictures, nil
}
