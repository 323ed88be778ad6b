package gui

import (
	"context"
	"fmt"
	"image"
	_ "image/png" // the format of rendered pictures
	"os"
	"path/filepath"

	"golang.org/x/image/draw"

	"easel/engine"
)

// thumbnailSide is in pixels: a cell on a screen of double density.
const thumbnailSide = 2 * cellSide

// picture is a thumbnail, or the reason why there is none.
type picture struct {
	path   string
	pixels *image.RGBA
	err    error
}

// readRows makes the thumbnails of a grid. It may run on any goroutine and returns early when ctx ends.
func readRows(ctx context.Context, rows []engine.GridRow) [][]picture {
	all := make([][]picture, len(rows))
	for i, row := range rows {
		for _, path := range row.Pictures {
			if ctx.Err() != nil {
				return all
			}
			pixels, err := readThumbnail(path)
			all[i] = append(all[i], picture{path, pixels, err})
		}
	}
	return all
}

// readThumbnail decodes a picture and scales it to thumbnailSide. Small pictures grow by whole factors, so that their
// pixels stay what the model painted; large ones are averaged down.
func readThumbnail(path string) (*image.RGBA, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s is missing", filepath.Base(path))
	}
	defer f.Close()
	config, _, err := image.DecodeConfig(f)
	if err != nil {
		return nil, fmt.Errorf("%s is no PNG picture", filepath.Base(path))
	}
	const most = 64 << 20 // pixels; nothing that Easel renders comes near
	if config.Width <= 0 || config.Height <= 0 || config.Width > most/config.Height {
		return nil, fmt.Errorf("%s is too large to show", filepath.Base(path))
	}
	if _, err := f.Seek(0, 0); err != nil {
		return nil, err
	}
	decoded, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s is damaged", filepath.Base(path))
	}
	return scale(decoded), nil
}

func scale(from image.Image) *image.RGBA {
	size := from.Bounds().Size()
	longest := max(size.X, size.Y)
	var scaler draw.Scaler = draw.NearestNeighbor
	if longest <= thumbnailSide {
		size = size.Mul(thumbnailSide / longest)
	} else {
		size = image.Pt(max(1, size.X*thumbnailSide/longest), max(1, size.Y*thumbnailSide/longest))
		scaler = draw.CatmullRom
	}
	to := image.NewRGBA(image.Rectangle{Max: size})
	scaler.Scale(to, to.Bounds(), from, from.Bounds(), draw.Src, nil)
	return to
}
