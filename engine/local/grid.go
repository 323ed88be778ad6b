package local

import (
	"context"
	"fmt"
	"image"
	_ "image/png" // reads the pictures of a resumed run
	"math"
	"os"
	"path/filepath"

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
	rows     []gridRow
}

// gridRow is a row with its pictures in memory. Where a column was given another prompt later, both the picture and its
// path are empty.
type gridRow struct {
	engine.GridRow
	images []image.Image
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
	if n := len(g.rows); n == 0 || g.rows[n-1].Step < step {
		row := gridRow{GridRow: engine.GridRow{Step: step}}
		if step > 0 {
			row.WeightChange = g.s.tuning.WeightChange()
		}
		g.rows = append(g.rows, row)
	}
	last := len(g.rows) - 1
	if err := g.complete(ctx, last, g.renderer); err != nil {
		if len(g.rows[last].images) == 0 {
			g.rows = g.rows[:last]
		}
		return err
	}
	return nil
}

// complete renders what a row lacks, and tells of the row.
func (g *grid) complete(ctx context.Context, i int, r *sample.Renderer) error {
	row := &g.rows[i]
	var missing []int
	for k := range g.prompts {
		if k >= len(row.images) || row.images[k] == nil {
			missing = append(missing, k)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	g.s.pipeline.options.Memory.Close() // the step's
	pictures, err := g.pictures(ctx, r, missing)
	r.Close()
	g.s.pipeline.rest()
	if err != nil {
		return err
	}
	images, paths := make([]image.Image, len(g.prompts)), make([]string, len(g.prompts)) // those before belong to events
	copy(images, row.images)
	copy(paths, row.Pictures)
	for n, k := range missing {
		path := g.s.store.SamplePath(row.Step, k)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return engine.Errorf("write sample", path, engine.BadFile, "%w", err)
		}
		if err := format.WritePNG(path, pictures[n], g.parameters(k)); err != nil {
			return err
		}
		images[k], paths[k] = pictures[n], path
	}
	row.images, row.Pictures = images, paths
	if err := g.write(); err != nil {
		return err
	}
	g.tell(i)
	return nil
}

// tell tells of a row.
func (g *grid) tell(i int) {
	g.s.emit(engine.Event{Kind: engine.KindGrid, Grid: &engine.GridEvent{Row: g.rows[i].GridRow, Columns: g.prompts}})
}

// pictures renders columns, each with its seed.
func (g *grid) pictures(ctx context.Context, r *sample.Renderer, columns []int) ([]image.Image, error) {
	job := g.s.job
	q := sample.Request{Sampler: gridSampler, Steps: job.SampleSteps, Guidance: job.Guidance, Width: job.Resolution, Height: job.Resolution}
	for _, i := range columns {
		q.Prompts, q.Seeds = append(q.Prompts, g.prompts[i]), append(q.Seeds, g.seed(i))
	}
	n := len(columns)
	rendered, err := r.Render(ctx, q, func(step int) {
		g.s.sink(engine.Event{Kind: engine.KindSampling, Sampling: &engine.SamplingEvent{Picture: n, Pictures: n, Step: step, Steps: job.SampleSteps}})
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
	var rows []sample.Row
	for _, row := range g.rows {
		rows = append(rows, sample.Row{Label: fmt.Sprintf("step %d", row.Step), Pictures: row.images})
	}
	img, err := sample.Grid(g.prompts, rows)
	if err != nil {
		return engine.Errorf("draw grid", "", engine.Internal, "%w", err)
	}
	if err := format.WritePNG(g.s.store.GridPath(), img, ""); err != nil {
		return err
	}
	g.s.result.Grid = g.s.store.GridPath()
	return nil
}

// load takes over the columns as they were left, and the rows up to step, from the run that is resumed. A picture that is
// lost costs its row, not the run.
func (g *grid) load(run engine.Run, step int) {
	if len(run.Columns) >= len(g.prompts) {
		g.prompts = run.Columns
	}
	for _, record := range run.Rows {
		if record.Step > step || len(record.Pictures) > len(g.prompts) {
			continue
		}
		row, err := readRow(record)
		if err != nil {
			g.s.warn(err)
			continue
		}
		g.rows = append(g.rows, row)
		g.s.result.Grid = g.s.store.GridPath()
	}
}

func readRow(record engine.GridRow) (gridRow, error) {
	row := gridRow{GridRow: record}
	for _, path := range record.Pictures {
		var p image.Image
		if path != "" {
			var err error
			if p, err = readPicture(path); err != nil {
				return row, err
			}
		}
		row.images = append(row.images, p)
	}
	return row, nil
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
	again, err := g.pictures(ctx, r, []int{0})
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
	if last := len(g.rows) - 1; last >= 0 && g.rows[last].Step == e.Step && g.rows[last].images[0] != nil {
		e.Trained = g.rows[last].Pictures[0]
		e.Difference = difference(again[0], g.rows[last].images[0])
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
