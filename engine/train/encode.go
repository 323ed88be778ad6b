package train

import (
	"context"
	"fmt"

	"easel/engine/dataset"
	"easel/engine/diffusion"
	"easel/engine/graph"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
)

// seen is a view of a picture, encoded.
type seen struct {
	moments *kernel.Tensor // [1, h, w, 2·c], mean then log variance
	mask    []float32      // [h·w], how much each place counts; nil where nothing is masked
}

// encodePictures encodes every view of every picture. A mirrored picture is encoded, not its latent mirrored: encoders are
// not symmetric.
func (d *Data) encodePictures(ctx context.Context, c Config) error {
	encoders := map[[2]int]*graph.Function{}
	defer closeAll(encoders)
	for i, it := range d.set.Items {
		e, err := encoderFor(encoders, c, it.Height, it.Width)
		if err != nil {
			return err
		}
		var views []seen
		for _, v := range d.views(i) {
			s, err := d.encode(ctx, e, it, v)
			if err != nil {
				return fmt.Errorf("encode %s: %w", it.Path, err)
			}
			views = append(views, s)
		}
		d.seen = append(d.seen, views)
	}
	return nil
}

func (d *Data) encode(ctx context.Context, e *graph.Function, it dataset.Item, v dataset.View) (s seen, err error) {
	pixels, err := it.Seen(v)
	if err != nil {
		return s, err
	}
	if s.moments, err = e.Call(ctx, kernel.FromF32(pixels, 1, it.Height, it.Width, 3)); err != nil || !d.job.Loss.Masked {
		return s, err
	}
	mask, err := it.Mask(v)
	if err != nil {
		return s, err
	}
	s.mask = diffusion.LatentMask(mask, it.Height, it.Width, d.model.VAE.Factor())
	return s, nil
}

// views are those of an item: cuts that lie at random where there are several, each mirrored too where that is asked for.
func (d *Data) views(item int) []dataset.View {
	crops := d.job.Views.Crops
	if crops < 2 || !d.set.Items[item].Loose() {
		crops = 1
	}
	var views []dataset.View
	for i := range crops {
		var v dataset.View
		if crops > 1 {
			// A stream of its own, because batches draw from the plain seed's.
			v.Shift = 2*rng.Float64(rng.Mix(d.job.Seed), item, rng.View, uint64(i)) - 1
		}
		views = append(views, v)
		if d.job.Views.Flip {
			v.Flip = true
			views = append(views, v)
		}
	}
	return views
}

func encoderFor(have map[[2]int]*graph.Function, c Config, height, width int) (*graph.Function, error) {
	size := [2]int{height, width}
	if have[size] != nil {
		return have[size], nil
	}
	g := graph.New()
	image := g.Input("image", 1, height, width, 3)
	f, err := graph.NewFunction(g, c.Backend, []*graph.Node{image}, c.Model.BuildEncoder(g, image), c.Options)
	if err == nil {
		have[size] = f
	}
	return f, err
}

func closeAll(functions map[[2]int]*graph.Function) {
	for _, f := range functions {
		f.Close()
	}
}
