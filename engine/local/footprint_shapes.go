package local

import (
	"image"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/kernel"
	"easel/engine/model"
)

// shapes are the sizes in which the pictures are trained.
func (f *footprint) shapes() []image.Point {
	square := image.Pt(f.side, f.side)
	sizes, err := f.p.buckets(f.side).Sizes()
	if err != nil || len(f.sources) == 0 {
		return []image.Point{square}
	}
	var shapes []image.Point
	have := map[image.Point]bool{}
	for _, s := range f.sources {
		if size := dataset.Nearest(sizes, s.X, s.Y); !have[size] {
			have[size] = true
			shapes = append(shapes, size)
		}
	}
	return shapes
}

// largest is the batch that takes the most memory. What is preserved goes beside square pictures only.
func (f *footprint) largest() (rows int, size image.Point) {
	most := 0
	for _, s := range f.shapes() {
		n := f.rows
		if s != image.Pt(f.side, f.side) && f.job.Preserve > 0 {
			n = f.job.Batch
		}
		if n*s.X*s.Y > most {
			most, rows, size = n*s.X*s.Y, n, s
		}
	}
	return rows, size
}

// graphBytes is what a further compiled graph takes: its operators in Go's heap, and oneDNN's primitives.
const graphBytes = 8 << 20

// further is what a run holds beside parameters, weights and values: the graphs of further shapes, contexts, or else the
// text encoder that makes them in each step.
func (f *footprint) further(plan engine.Plan) (int64, error) {
	bytes := int64(len(f.shapes())-1) * graphBytes
	if f.job.Views.HoldOut > 0 {
		bytes += graphBytes
	}
	if !f.encodes || f.tuning.TrainsText() {
		return bytes, nil
	}
	bytes += int64(f.prompts) * model.Tokens * int64(f.outline.UNet.CrossAttentionDim) * 4
	if f.prompts > 0 {
		return bytes, nil
	}
	dt := f.p.options.DType
	text, err := f.text(1, kernel.F32, dt)
	return bytes + held(text, plan), err
}
