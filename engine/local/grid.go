package local

import (
	"context"
	"fmt"
	"image"
	_ "image/png" // reads the pictures of a resumed run
	"math"
	"os"
	"path/filepath"
	"slices"

	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/format"
	"easel/engine/method"
	"easel/engine/model"
	"easel/engine/sample"
)

// grid renders the before/after grid: rows are steps, columns prompts, each with the same noise in every row.
type grid struct {
	s        *session
	renderer *sample.Renderer
	prompts  []string
	rows     []sample.Row
	steps    []int // of the rows
}

func newGrid(s *session) *grid {
	g := &grid{s: s, renderer: s.pipeline.renderer(s.tuning)}
	for _, p := range s.job.Prompts {
		g.prompts = append(g.prompts, fill(p, s.job))
	}
	return g
}

// due says whether a row belongs after step: at the start, the quarters and the end.
func (g *grid) due(step int) bool {
	for quarter := range 5 {
		if step == g.s.job.Steps*quarter/4 {
			return true
		}
	}
	return false
}

// render adds the row of a step, or the pictures that it lacks.
func (g *grid) render(ctx context.Context, step int) error {
	if n := len(g.steps); n == 0 || g.steps[n-1] < step {
		g.add(step, nil)
	}
	err := g.complete(ctx, len(g.rows)-1, g.renderer)
	if last := len(g.rows) - 1; len(g.rows[last].Pictures) == 0 {
		g.rows, g.steps = g.rows[:last], g.steps[:last]
	}
	return err
}

// complete renders what a row lacks.
func (g *grid) complete(ctx context.Context, i int, r *sample.Renderer) error {
	row := &g.rows[i]
	have := len(row.Pictures)
	if have == len(g.prompts) {
		return nil
	}
	g.s.pipeline.options.Memory.Close() // the step's
	pictures, err := g.pictures(ctx, r, have, len(g.prompts))
	r.Close()
	g.s.pipeline.rest()
	if err != nil {
		return err
	}
	for k, p := range pictures {
		path := g.s.store.SamplePath(g.steps[i], have+k)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return engine.Errorf("write sample", path, engine.BadFile, "%w", err)
		}
		if err := format.WritePNG(path, p, g.parameters(have+k)); err != nil {
			return err
		}
	}
	row.Pictures = append(row.Pictures, pictures...)
	if err := g.write(); err != nil {
		return err
	}
	g.s.emit(engine.Event{Kind: engine.KindGrid, Grid: &engine.GridEvent{Row: g.record(i), Columns: g.prompts}})
	return nil
}

// record is a row as others see it.
func (g *grid) record(i int) engine.GridRow {
	row := engine.GridRow{Step: g.steps[i]}
	for k := range g.rows[i].Pictures {
		row.Pictures = append(row.Pictures, g.s.store.SamplePath(g.steps[i], k))
	}
	if row.Step == g.s.from && row.Step > 0 {
		row.WeightChange = g.s.tuning.WeightChange()
	}
	return row
}

// extend adds a column. Its first picture is that of the untrained method, as all rows are compared with step 0.
func (g *grid) extend(ctx context.Context, prompt string) error {
	g.prompts = append(slices.Clip(g.prompts), fill(prompt, g.s.job)) // those before belong to events
	if len(g.steps) == 0 || g.steps[0] != 0 {
		return nil
	}
	untrained, err := g.s.method.Start(g.s.pipeline.model, g.s.job)
	if err == nil {
		err = g.complete(ctx, 0, g.s.pipeline.renderer(untrained))
	}
	if err != nil {
		g.prompts = g.prompts[:len(g.prompts)-1]
	}
	return err
}

func (g *grid) add(step int, pictures []image.Image) {
	g.rows = append(g.rows, sample.Row{Label: fmt.Sprintf("step %d", step), Pictures: pictures})
	g.steps = append(g.steps, step)
}

// pictures renders the columns from first to end, each with its seed.
func (g *grid) pictures(ctx context.Context, r *sample.Renderer, first, end int) ([]image.Image, error) {
	job := g.s.job
	q := sample.Request{Prompts: g.prompts[first:end], Sampler: gridSampler, Steps: job.SampleSteps, Guidance: job.Guidance,
		Width: job.Resolution, Height: job.Resolution}
	for i := first; i < end; i++ {
		q.Seeds = append(q.Seeds, g.seed(i))
	}
	rendered, err := r.Render(ctx, q, func(step int) {
		g.s.sink(engine.Event{Kind: engine.KindSampling, Sampling: &engine.SamplingEvent{Picture: end - first, Pictures: end - first, Step: step, Steps: job.SampleSteps}})
	})
	var pictures []image.Image
	for _, p := range rendered {
		pictures = append(pictures, p)
	}
	return pictures, err
}

// gridSampler is the one that does well in few steps and adds no noise of its own.
const gridSampler = "dpmpp_2m"

func (g *grid) seed(column int) uint64 { return g.s.job.Seed + uint64(column) }

func (g *grid) parameters(column int) string {
	job := g.s.job
	p := format.Parameters{Prompt: g.prompts[column], Steps: job.SampleSteps, Sampler: samplerTitle(gridSampler), CFGScale: job.Guidance,
		Seed: int64(g.seed(column) & math.MaxInt64), Width: job.Resolution, Height: job.Resolution, Model: job.Model, Version: "Easel"}
	return p.String()
}

func samplerTitle(name string) string {
	for _, s := range diffusion.Samplers() {
		if s.Name == name {
			return s.Title
		}
	}
	return name
}

// write puts the grid so far into one picture.
func (g *grid) write() error {
	img, err := sample.Grid(g.prompts, g.rows)
	if err != nil {
		return engine.Errorf("draw grid", "", engine.Internal, "%w", err)
	}
	if err := format.WritePNG(g.s.store.GridPath(), img, ""); err != nil {
		return err
	}
	g.s.result.Grid = g.s.store.GridPath()
	return nil
}

// load takes over added columns and the rows up to step from the run that is resumed. A picture that is lost costs its
// row, not the run.
func (g *grid) load(run engine.Run, step int) {
	if n := len(g.prompts); len(run.Columns) > n && slices.Equal(run.Columns[:n], g.prompts) {
		g.prompts = run.Columns
	}
	for _, row := range run.Rows {
		if row.Step > step || len(row.Pictures) > len(g.prompts) {
			continue
		}
		var pictures []image.Image
		for _, path := range row.Pictures {
			p, err := readPicture(path)
			if err != nil {
				g.s.warn(err)
				break
			}
			pictures = append(pictures, p)
		}
		if len(pictures) == len(row.Pictures) {
			g.add(row.Step, pictures)
			g.s.result.Grid = g.s.store.GridPath()
		}
	}
}

func readPicture(path string) (image.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, engine.Errorf("read sample", path, engine.NotFound, "%w", err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		return nil, engine.Errorf("read sample", path, engine.BadFile, "%w", err)
	}
	return img, nil
}

// throughFile renders the first column through the exported file, and those that belong to it, and measures the mean
// difference to the same picture of the trained model, as a share of the range: what storing in half precision costs.
func (g *grid) throughFile(ctx context.Context, paths []string) (engine.ExportEvent, error) {
	e := engine.ExportEvent{Step: g.s.from, Path: paths[0], Size: g.s.result.Summary.FileBytes}
	first, err := method.Apply(g.s.pipeline.model, paths[0], 1)
	if err != nil {
		return e, err
	}
	adapters := model.Adapters{first}
	for _, path := range paths[1:] {
		a, err := method.Apply(g.s.pipeline.model, path, 1)
		if err != nil {
			return e, err
		}
		adapters = append(adapters, a)
	}
	r := g.s.pipeline.renderer(adapters)
	defer r.Close()
	r.Options.Stream = r.Options.Stream || g.s.job.Plan.InPass // a whole model beside the one that was trained
	again, err := g.pictures(ctx, r, 0, 1)
	if err != nil {
		return e, err
	}
	e.Through = g.s.store.ThroughPath(e.Step)
	if err := os.MkdirAll(filepath.Dir(e.Through), 0o755); err != nil {
		return e, engine.Errorf("write sample", e.Through, engine.BadFile, "%w", err)
	}
	if err := format.WritePNG(e.Through, again[0], g.parameters(0)); err != nil {
		return e, err
	}
	if last := len(g.rows) - 1; last >= 0 && g.steps[last] == e.Step {
		e.Trained = g.s.store.SamplePath(e.Step, 0)
		e.Difference = difference(again[0], g.rows[last].Pictures[0])
	}
	return e, nil
}

// difference is the mean absolute difference of two pictures of one size, 0 to 1.
func difference(a, b image.Image) float64 {
	bounds := a.Bounds()
	sum := 0.0
	for y := range bounds.Dy() {
		for x := range bounds.Dx() {
			ar, ag, ab, _ := a.At(bounds.Min.X+x, bounds.Min.Y+y).RGBA()
			br, bg, bb, _ := b.At(b.Bounds().Min.X+x, b.Bounds().Min.Y+y).RGBA()
			for _, d := range [3][2]uint32{{ar, br}, {ag, bg}, {ab, bb}} {
				sum += math.Abs(float64(d[0]) - float64(d[1]))
			}
		}
	}
	return sum / float64(3*bounds.Dx()*bounds.Dy()) / 0xffff
}
