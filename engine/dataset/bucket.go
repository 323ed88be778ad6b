package dataset

import (
	"cmp"
	"image"
	"math"
	"slices"

	"easel/engine"
)

// Buckets describes the sizes pictures are trained at: many aspect ratios of about one area, so that a tall picture
// need not be cut to a square. Lengths are in pixels.
type Buckets struct {
	Resolution int // side of the square whose area no bucket exceeds
	Min, Max   int // shortest and longest side of a bucket; rounded down and up to a multiple of Step
	Step       int // sides are multiples of it: 64 for full-size models, 16 for the built-in one
}

// maxBucket is the longest side a bucket may have.
const maxBucket = 8192

// Sizes lists the buckets in the order of width, then height, as sd-scripts makes them (library/model_util.py,
// make_bucket_resolutions). Settings without a bucket are BadInput errors.
func (b Buckets) Sizes() ([]image.Point, error) {
	if b.Step < 1 || b.Min < 1 || b.Max < b.Min || b.Max > maxBucket || b.Resolution < b.Step || b.Resolution > maxBucket {
		return nil, engine.Errorf("make buckets", "", engine.BadInput,
			"resolution %d, sides from %d to %d in steps of %d: need 1 ≤ step ≤ resolution ≤ %d and 1 ≤ shortest ≤ longest side ≤ %[5]d",
			b.Resolution, b.Min, b.Max, b.Step, maxBucket)
	}
	side := b.Resolution / b.Step * b.Step
	sizes := []image.Point{{X: side, Y: side}}
	shortest := max(b.Min/b.Step*b.Step, b.Step)
	longest := (b.Max + b.Step - 1) / b.Step * b.Step
	for width := shortest; width <= longest; width += b.Step {
		height := min(longest, b.Resolution*b.Resolution/width/b.Step*b.Step)
		if height >= shortest {
			sizes = append(sizes, image.Pt(width, height), image.Pt(height, width))
		}
	}
	slices.SortFunc(sizes, func(p, q image.Point) int { return cmp.Or(p.X-q.X, p.Y-q.Y) })
	return slices.Compact(sizes), nil
}

// Nearest chooses the bucket for a picture: its own size if that is one, else the one of the most similar ratio of
// width to height, the first of equals (sd-scripts, library/train_util.py, BucketManager). sizes are those of Sizes;
// where there are none the result is zero.
func Nearest(sizes []image.Point, width, height int) image.Point {
	if own := image.Pt(width, height); slices.Contains(sizes, own) {
		return own
	}
	var best image.Point
	least := math.Inf(1)
	for _, s := range sizes {
		if d := math.Abs(float64(s.X)/float64(s.Y) - float64(width)/float64(height)); d < least {
			best, least = s, d
		}
	}
	return best
}

// Cover is the size a picture of width by height is scaled to so that it just covers the bucket: one side is the
// bucket's, the other is cut afterwards.
func Cover(width, height int, bucket image.Point) image.Point {
	w, h := float64(width), float64(height)
	scale := float64(bucket.X) / w
	if w/h > float64(bucket.X)/float64(bucket.Y) {
		scale = float64(bucket.Y) / h
	}
	return image.Pt(max(int(w*scale+0.5), bucket.X), max(int(h*scale+0.5), bucket.Y))
}
