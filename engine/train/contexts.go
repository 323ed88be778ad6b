package train

import (
	"context"
	"slices"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model"
)

// contexts keeps what the frozen text encoder makes of prompts.
type contexts struct {
	config Config
	encode *graph.Function // nil while there is nothing to encode
	have   map[string]*kernel.Tensor
}

// mostContexts is how many are kept, 60 MB of them with SD 1.5.
const mostContexts = 256

// Prompts lists the texts that a set's captions can become, each once; nil where they are so many, or in so many orders,
// that each step encodes its own.
func Prompts(set *dataset.Set, job engine.Job) []string {
	c := captions{job.Captions, job.Word, job.Class, job.Seed}
	var texts []string
	for _, it := range set.Items {
		all := c.all(it.Caption)
		if all == nil {
			return nil
		}
		texts = append(texts, all...)
	}
	slices.Sort(texts)
	if texts = slices.Compact(texts); len(texts) > mostContexts {
		return nil
	}
	return texts
}

// encodeAll encodes texts before the run.
func (c *contexts) encodeAll(ctx context.Context, texts []string) error {
	for _, text := range texts {
		if _, err := c.one(ctx, text); err != nil {
			return err
		}
	}
	return c.close()
}

// of is the context of prompts, [prompts, tokens, width].
func (c *contexts) of(ctx context.Context, texts []string) (*kernel.Tensor, error) {
	var all []float32
	var shape []int
	for _, text := range texts {
		t, err := c.one(ctx, text)
		if err != nil {
			return nil, err
		}
		shape = t.Shape
		all = append(all, t.F32()...)
	}
	return kernel.FromF32(all, len(texts), shape[1], shape[2]), nil
}

func (c *contexts) one(ctx context.Context, text string) (*kernel.Tensor, error) {
	if t := c.have[text]; t != nil {
		return t, nil
	}
	if c.encode == nil {
		if err := c.open(); err != nil {
			return nil, err
		}
	}
	t, err := c.encode.Call(ctx, c.config.Model.IDs(text))
	if err != nil {
		return nil, err
	}
	if len(c.have) >= mostContexts {
		clear(c.have)
	}
	c.have[text] = t
	return t, nil
}

func (c *contexts) open() (err error) {
	g := graph.New()
	ids := g.Indices("ids", 1, model.Tokens)
	c.encode, err = graph.NewFunction(g, c.config.Backend, []*graph.Node{ids}, c.config.Model.BuildText(g, c.config.Tuning, ids, 1), c.config.Options)
	return err
}

func (c *contexts) close() error {
	if c.encode == nil {
		return nil
	}
	err := c.encode.Close()
	c.encode = nil
	return err
}
