package dataset

import (
	"image"
	"math"
	"slices"
	"strings"

	"easel/engine"
)

// maskSuffix ends the stem of a mask's name: cat-mask.png belongs to cat.jpg.
const maskSuffix = "-mask"

// separateMasks takes the masks out of the pictures: files named after another file of the folder.
func (f *folder) separateMasks() {
	stems := map[string]bool{}
	for _, name := range f.others {
		stems[stem(name)] = true
	}
	f.masks = map[string]string{}
	f.others = slices.DeleteFunc(f.others, func(name string) bool {
		of, ok := strings.CutSuffix(stem(name), maskSuffix)
		if !ok || !stems[of] || f.masks[of] != "" {
			return false
		}
		f.masks[of] = name
		return true
	})
}

// HasMask says that the picture comes with a mask: a file of its own, or transparent pixels.
func (it Item) HasMask() bool { return it.MaskPath != "" || it.Alpha }

// Mask says how much each pixel of a view counts, [Height, Width] from 0 to 1: the brightness of the mask, or else the
// picture's opacity. It is cut as the picture is. A mask of another shape than the picture is a BadFile error.
func (it Item) Mask(v View) ([]float32, error) {
	path := it.MaskPath
	if path == "" {
		path = it.Path
	}
	img, err := it.open(path)
	if err != nil {
		return nil, err
	}
	if it.MaskPath != "" {
		if s := img.Rect.Size(); !sameShape(s, it.Source) {
			return nil, engine.Errorf("read mask", path, engine.BadFile, "it has %d x %d pixels, and its picture %d x %d: give both the same shape",
				s.X, s.Y, it.Source.X, it.Source.Y)
		}
	}
	grey(img, it.MaskPath != "")
	cut := v.fit(img, image.Pt(it.Width, it.Height), it.Crop)
	mask := make([]float32, 0, it.Width*it.Height)
	for i := 0; i+3 < len(cut.Pix); i += 4 {
		mask = append(mask, float32(cut.Pix[i])/255)
	}
	return mask, nil
}

// sameShape allows for sides that were rounded to whole pixels.
func sameShape(a, b image.Point) bool {
	return 2*math.Abs(float64(a.X)*float64(b.Y)-float64(a.Y)*float64(b.X)) <= float64(max(a.X, a.Y, b.X, b.Y))
}

// grey makes an opaque picture of a picture's opacity, or of its brightness (Rec. 601) on black.
func grey(img *image.NRGBA, bright bool) {
	for i := 0; i+3 < len(img.Pix); i += 4 {
		p := img.Pix[i : i+4]
		v := int(p[3])
		if bright {
			v = (299*int(p[0]) + 587*int(p[1]) + 114*int(p[2]) + 500) / 1000 * v / 255
		}
		p[0], p[1], p[2], p[3] = byte(v), byte(v), byte(v), 255
	}
}
