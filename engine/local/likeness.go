package local

import (
	"context"
	"strings"

	"easel/engine"
)

// measure compares the first and last rows of the grid.
func (g *grid) measure(ctx context.Context, s *engine.Summary) error {
	unrelated := 0
	for i, p := range g.prompts {
		if !strings.Contains(p, g.s.job.Word) {
			unrelated++
			s.Drift += difference(g.rows[0].Pictures[i], g.rows[len(g.rows)-1].Pictures[i])
		}
	}
	if unrelated > 0 {
		s.Drift /= float64(unrelated)
	}
	return nil
}
