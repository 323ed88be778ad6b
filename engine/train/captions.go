package train

import (
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/internal/rng"
)

// captions makes the prompts of batches from the captions of pictures: a template, then another order of what stands
// between commas (sd-scripts' shuffle_caption and keep_tokens), then perhaps nothing at all (caption dropout: the
// unconditional part of classifier-free guidance, Ho and Salimans, arXiv 2207.12598, is trained by it).
type captions struct {
	engine.Captions
	word, class string
	seed        uint64
}

// The numbers that a row of a batch draws, beside those for its caption's order.
const (
	drawTemplate = iota
	drawDropout
	drawsOfRow
)

// text is the prompt of a row of a batch.
func (c captions) text(caption string, number, row int) string {
	draw := uint64(drawsOfRow * row)
	if c.Dropout > 0 && rng.Float64(c.seed, number, rng.Dropout, draw+drawDropout) < c.Dropout {
		return ""
	}
	if n := len(c.Templates); n > 0 {
		caption = c.fill(c.Templates[rng.Intn(n, c.seed, number, rng.Dropout, draw+drawTemplate)], caption)
	}
	if c.Shuffle {
		caption = c.shuffled(caption, number, row)
	}
	return caption
}

func (c captions) fill(template, caption string) string {
	return strings.TrimSpace(strings.NewReplacer("{caption}", caption, "{word}", c.word, "{class}", c.class).Replace(template))
}

// shuffled reorders the parts behind the first Keep.
func (c captions) shuffled(caption string, number, row int) string {
	var parts []string
	for part := range strings.SplitSeq(caption, ",") {
		parts = append(parts, strings.TrimSpace(part))
	}
	keep := min(c.Keep, len(parts))
	free := slices.Clone(parts[keep:])
	for i, from := range rng.Perm(len(free), rng.Mix(c.seed+uint64(row)), number, rng.Caption) {
		parts[keep+i] = free[from]
	}
	return strings.Join(parts, ", ")
}

// all are the texts that a caption can become; nil where they are too many to list, because they are shuffled.
func (c captions) all(caption string) []string {
	if c.Shuffle {
		return nil
	}
	texts := []string{caption}
	if len(c.Templates) > 0 {
		texts = nil
		for _, t := range c.Templates {
			texts = append(texts, c.fill(t, caption))
		}
	}
	if c.Dropout > 0 {
		texts = append(texts, "")
	}
	return texts
}
