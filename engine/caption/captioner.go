// Package caption describes pictures in words: it runs a captioner or a tagger, decides what to make of the sentence or tags
// (Policy) and keeps the files beside the pictures (Folder).
package caption

import (
	"context"
	"image"
	"math"

	"easel/engine"
	"easel/engine/kernel"
	"easel/engine/model/blip"
)

// Settings say how a sentence is searched for. They are those of transformers' generate.
type Settings struct {
	Prompt     string // which the sentence continues, such as "a picture of"; it is not part of the result
	Beams      int    // texts that are followed at a time; 1 is greedy
	MinLength  int    // tokens, with the prompt's
	MaxLength  int
	Repetition float32 // penalty for tokens that were there before; 1 is none
	NoRepeat   int     // tokens in a row that may occur only once; 0 allows all
}

// Usual are the settings for the published models.
func Usual() Settings {
	return Settings{Beams: 3, MinLength: 8, MaxLength: 40, Repetition: 1, NoRepeat: 3}
}

// Sentence is what a captioner says of a picture, or the tags that a tagger finds.
type Sentence struct {
	Text string
	// Logs are the natural logarithms of the probabilities of its tokens, the end included, or of the tags.
	Logs []float64
}

// Confidence is the geometric mean of the tokens' or tags' probabilities, 0 to 1; 0 where there are none.
func (s Sentence) Confidence() float64 {
	if len(s.Logs) == 0 {
		return 0
	}
	sum := 0.0
	for _, l := range s.Logs {
		sum += l
	}
	return math.Exp(sum / float64(len(s.Logs)))
}

// Captioner describes one picture after the other. All calls come from one OS thread, as those of its backend.
type Captioner struct {
	model  *blip.Model
	search search
	eye    *eye
	hand   *hand
}

// New makes a captioner of an opened model. dt is how activations are stored. Error: BadInput for settings that the model
// cannot follow.
func New(m *blip.Model, b kernel.Backend, dt kernel.DType, s Settings) (*Captioner, error) {
	c := &Captioner{model: m}
	if err := c.prepare(s); err != nil {
		return nil, err
	}
	var err error
	if c.eye, err = newEye(m, b, dt); err != nil {
		return nil, err
	}
	c.hand = newHand(m, b, dt, c.eye, s.Beams, s.MaxLength)
	return c, nil
}

func (c *Captioner) prepare(s Settings) error {
	text := &c.model.Text
	c.search = search{prompt: append([]int32{text.Begin}, c.model.Words.Encode(s.Prompt)...), end: text.End, beams: s.Beams, maxLength: s.MaxLength, penalty: 1}
	switch {
	case s.Beams < 1 || s.Beams > 64 || s.Repetition <= 0 || s.NoRepeat < 0:
		return engine.Errorf("caption", "", engine.BadInput, "%d beams, repetition penalty %g: these settings cannot be used", s.Beams, s.Repetition)
	case s.MaxLength <= len(c.search.prompt) || s.MaxLength > text.MaxPositions:
		return engine.Errorf("caption", "", engine.BadInput, "a caption cannot have %d tokens; choose from %d to %d", s.MaxLength, len(c.search.prompt)+1, text.MaxPositions)
	}
	if s.Repetition != 1 {
		c.search.processes = append(c.search.processes, repetitionPenalty(s.Repetition))
	}
	if s.NoRepeat > 0 {
		c.search.processes = append(c.search.processes, noRepeat(s.NoRepeat))
	}
	if s.MinLength > 0 {
		c.search.processes = append(c.search.processes, minLength(s.MinLength, text.End))
	}
	return nil
}

// Describe finds a sentence for a picture.
func (c *Captioner) Describe(ctx context.Context, img *image.NRGBA) (Sentence, error) {
	t, err := c.write(ctx, Pixels(img, c.model.Vision.ImageSize, c.model.Mean, c.model.Std))
	if err != nil {
		return Sentence{}, err
	}
	ids := t.ids[len(c.search.prompt):]
	if n := len(ids); n > 0 && ids[n-1] == c.search.end {
		ids = ids[:n-1]
	}
	return Sentence{Text: c.model.Words.Decode(ids), Logs: t.logs}, nil
}

func (c *Captioner) write(ctx context.Context, pixels *kernel.Tensor) (text, error) {
	if err := c.eye.look(ctx, pixels); err != nil {
		return text{}, err
	}
	c.hand.begin()
	if c.search.beams == 1 {
		return c.search.greedy(ctx, c.hand)
	}
	return c.search.beam(ctx, c.hand)
}

// Close frees the captioner's memory, not the model.
func (c *Captioner) Close() {
	c.hand.close()
	c.eye.vm.Close()
}
