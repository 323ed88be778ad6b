package local

import (
	"context"
	"slices"

	"easel/engine"
)

// extend adds a column. Its first picture is that of the untrained method, as all rows are compared with step 0.
func (g *grid) extend(ctx context.Context, prompt string) error {
	before := g.prompts
	g.prompts = append(slices.Clip(g.prompts), fill(prompt, g.s.job)) // those before belong to events
	err := g.completeFirst(ctx)
	if err != nil {
		g.prompts = before
	}
	return err
}

// reword gives a column another prompt. The rows before lose their pictures of the old one, but step 0, with which all are
// compared, gets that of the new.
func (g *grid) reword(ctx context.Context, asked engine.Reworded) error {
	if asked.Column < 0 || asked.Column >= len(g.prompts) {
		return engine.Errorf("change prompt", "", engine.BadInput, "the grid has no column %d", asked.Column+1)
	}
	prompts, rows := g.prompts, g.rows
	g.prompts, g.rows = slices.Clone(prompts), nil
	g.prompts[asked.Column] = fill(asked.Prompt, g.s.job)
	for _, row := range rows {
		g.rows = append(g.rows, row.without(asked.Column))
	}
	if err := g.completeFirst(ctx); err != nil {
		g.prompts, g.rows = prompts, rows
		return err
	}
	for i := range g.rows {
		g.tell(i)
	}
	return nil
}

// without is the row with an empty place in a column.
func (r gridRow) without(column int) gridRow {
	if column < len(r.images) {
		r.images, r.Pictures = slices.Clone(r.images), slices.Clone(r.Pictures)
		r.images[column], r.Pictures[column] = nil, ""
	}
	return r
}

// completeFirst renders what the row of step 0 lacks, with the untrained method.
func (g *grid) completeFirst(ctx context.Context) error {
	if len(g.rows) == 0 || g.rows[0].Step != 0 {
		return nil
	}
	untrained, err := g.s.method.Start(g.s.pipeline.model, g.s.job)
	if err != nil {
		return err
	}
	return g.complete(ctx, 0, g.s.pipeline.renderer(untrained))
}
