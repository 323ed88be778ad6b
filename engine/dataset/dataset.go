// Package dataset takes in a folder of pictures for training: it decodes them, with suspicion, turns them upright, assigns
// each to a bucket of one size and finds its caption; and it says which pictures form the batch of a step.
package dataset

import (
	"context"
	"image"
	"path/filepath"
	"slices"

	"easel/engine"
)

// Options are the settings of Load.
type Options struct {
	Buckets Buckets
	// A picture without a caption gets "a photo of a WORD CLASS"; both may be empty.
	Word, Class string
	Cache       string // folder with what Survey learnt, which spares decoding those pictures again; may be empty
}

// Set is the usable part of a folder.
type Set struct {
	Items   []Item    // in natural order of their names
	Skipped []Skipped // all other files, with the reason
}

// Item is a picture to train on. It holds no pixels.
type Item struct {
	Path          string
	Caption       string
	Width, Height int         // of its bucket, and so of Pixels
	Source        image.Point // size of the upright picture in the file
	Alpha         bool        // the file has transparent pixels; Pixels puts them on white
	MaskPath      string      // NAME-mask.png beside the picture; empty where there is none
	Crop          engine.Crop // which part Pixels cuts out
}

// Skipped is a file that is not used.
type Skipped struct {
	Path   string
	Reason Reason
	Err    error // the reason in words, with the cure
}

// Load takes in the files of a folder, not those of folders inside it. Each picture is decoded once, by Survey or else here, so that
// a damaged one shows now and not hours into training; only one is in memory at a time. The caption of cat.jpg is in cat.txt
// or cat.caption.
//
// Nothing is left out silently: what cannot be used is in Skipped. A folder without a usable picture is a BadInput
// error, which comes with the Set for its Skipped; one that cannot be read is NotFound, and a ctx that ends Cancelled.
func Load(ctx context.Context, dir string, opt Options) (*Set, error) {
	sizes, err := opt.Buckets.Sizes()
	if err != nil {
		return nil, err
	}
	folder, err := list(dir)
	if err != nil {
		return nil, err
	}
	crops, err := readCrops(dir)
	if err != nil {
		return nil, err
	}
	set := &Set{}
	for _, name := range folder.unused {
		set.skip(filepath.Join(dir, name), Unused)
	}
	for _, name := range folder.others {
		if err := ctx.Err(); err != nil {
			return nil, engine.Errorf("load pictures", dir, engine.Cancelled, "%w", err)
		}
		path := filepath.Join(dir, name)
		meta, err := metaOf(opt.Cache, path)
		if err != nil {
			set.skip(path, err)
			continue
		}
		bucket := Nearest(sizes, meta.Width, meta.Height)
		item := Item{
			Path: path, Caption: Template(opt.Word, opt.Class),
			Width: bucket.X, Height: bucket.Y,
			Source: image.Pt(meta.Width, meta.Height), Alpha: meta.Alpha, Crop: inRange(crops[name]),
		}
		if file, ok := folder.masks[stem(name)]; ok {
			item.MaskPath = filepath.Join(dir, file)
		}
		if file, ok := folder.captions[stem(name)]; ok {
			text, err := readCaption(filepath.Join(dir, file))
			if err != nil {
				set.skip(filepath.Join(dir, file), err)
			} else if text != "" {
				item.Caption = text
			}
		}
		set.Items = append(set.Items, item)
	}
	slices.SortStableFunc(set.Skipped, func(a, b Skipped) int { return naturalCompare(a.Path, b.Path) })
	return set, set.refuseEmpty(dir)
}

// skip notes a file that is not used; err has a Reason.
func (s *Set) skip(path string, err error) {
	s.Skipped = append(s.Skipped, Skipped{path, ReasonOf(err), err})
}

// refuseEmpty is the error for a folder without a usable picture.
func (s *Set) refuseEmpty(dir string) error {
	const cure = "put some pictures of the subject into it, as JPEG, PNG or WebP"
	switch {
	case len(s.Items) > 0:
		return nil
	case len(s.Skipped) == 0:
		return engine.Errorf("load pictures", dir, engine.BadInput, "the folder is empty; %s", cure)
	}
	return engine.Errorf("load pictures", dir, engine.BadInput, "none of the folder's %d files can be used (%s: %w); %s",
		len(s.Skipped), filepath.Base(s.Skipped[0].Path), s.Skipped[0].Reason, cure)
}

// Pixels decodes the picture: upright, on white, scaled to cover its bucket and cut to it. The result is channels-last,
// [Height, Width, 3] in sRGB, 0 to 255 mapped to -1 to 1.
func (it Item) Pixels() ([]float32, error) { return it.Seen(View{}) }

// Seen is Pixels for a view.
func (it Item) Seen(v View) ([]float32, error) {
	img, err := it.open(it.Path)
	if err != nil {
		return nil, err
	}
	return tensor(v.fit(OnWhite(img), image.Pt(it.Width, it.Height), it.Crop)), nil
}

// Loose says that the picture does not fit its bucket, so that different cuts of it show different parts.
func (it Item) Loose() bool {
	size := image.Pt(it.Width, it.Height)
	return Cover(it.Source.X, it.Source.Y, size) != size
}

func (it Item) open(path string) (*image.NRGBA, error) {
	if it.Width < 1 || it.Height < 1 {
		return nil, engine.Errorf("read picture", it.Path, engine.BadInput, "the bucket has %d x %d pixels", it.Width, it.Height)
	}
	img, _, err := open(path)
	return img, err
}
