package dataset

import (
	"fmt"
	"image"
	"os"
	"sync"

	"easel/engine"
)

// Look is what one learns about a picture by decoding it once.
type Look struct {
	Meta      Meta    // as Decode's
	Sharpness float64 // see sharpness, at engine.ThumbnailSide
	Hash      uint64  // see dHash
}

// LookAt decodes a picture and returns what there is to know and an upright thumbnail, on white, whose longest side is
// at most engine.ThumbnailSide. Its errors have a Reason. It takes less memory and time than Decode.
func LookAt(path string) (Look, *image.NRGBA, error) {
	var small *image.NRGBA
	meta, err := lookAtRaw(path, func(raw image.Image) { small = shrink(raw, engine.ThumbnailSide) })
	if err != nil {
		return Look{}, nil, err
	}
	small = upright(small, meta.Orientation)
	return Look{Meta: meta, Sharpness: sharpness(small), Hash: dHash(small)}, small, nil
}

// lookAtRaw shows see the picture of a path as it lies in the file: neither converted nor turned, which a large one would take
// thrice the memory for. Meta is that of Decode.
func lookAtRaw(path string, see func(image.Image)) (Meta, error) {
	f, err := openFile("read picture", path)
	if err != nil {
		return Meta{}, err
	}
	defer f.Close()
	meta, err := decodeFor(f, see)
	if err != nil {
		return Meta{}, engine.Errorf("read picture", path, ReasonOf(err).kind(), "%w", err)
	}
	return meta, nil
}

// The window is to stay small, and may have pictures looked at by a survey and for a plan at once: looking has a place for
// each that is decoded at a time, and large ones are so one after the other.
var (
	looking   = make(chan struct{}, surveyors)
	largeTurn sync.Mutex
)

func decodeFor(f *os.File, see func(image.Image)) (Meta, error) {
	looking <- struct{}{}
	defer func() { <-looking }()
	e, err := readEncoded(f)
	if err != nil {
		return Meta{}, err
	}
	if e.large() {
		largeTurn.Lock()
		defer largeTurn.Unlock()
	}
	raw, meta, err := e.decode()
	if err != nil {
		return Meta{}, err
	}
	see(raw)
	meta.Alpha = !opaque(raw, e.canvas)
	if meta.Orientation >= 5 { // it lies on its side
		meta.Width, meta.Height = meta.Height, meta.Width
	}
	return meta, nil
}

// large says that decoding takes more than a photograph of 24 million pixels in a common JPEG does, which has 1.5 bytes a
// pixel. Others have 4 or 8, and a progressive JPEG's decoder holds about 8.
func (e encoded) large() bool {
	const most = 36 << 20
	bytes := 3 * e.canvas.X * e.canvas.Y / 2
	if e.name != "jpeg" {
		bytes = 4 * e.canvas.X * e.canvas.Y
	} else if !sequential(e.data) {
		bytes = 8 * e.canvas.X * e.canvas.Y
	}
	return bytes > most
}

// opaque says that a picture has no transparent pixel on a canvas of that size.
func opaque(raw image.Image, canvas image.Point) bool {
	known, ok := raw.(interface{ Opaque() bool }) // as all of the standard library's kinds
	return ok && known.Opaque() && image.Rectangle{Max: canvas}.In(raw.Bounds())
}

// blurred is the Sharpness below which a picture counts as blurred. The least sharp of our sample pictures has 116; blurred
// by a Gaussian of 2 pixels at 512, the sharpest has 24.
const blurred = 50

// Issues says what about a picture wants attention when it is trained at the size of bucket.
func (l Look) Issues(bucket image.Point) []engine.Issue {
	var issues []engine.Issue
	add := func(kind engine.IssueKind, format string, args ...any) {
		issues = append(issues, engine.Issue{Kind: kind, Text: fmt.Sprintf(format, args...)})
	}
	w, h := l.Meta.Width, l.Meta.Height
	if grown := max(float64(bucket.X)/float64(w), float64(bucket.Y)/float64(h)); grown > 1 {
		add(engine.IssueSmall, "Too small: %d x %d pixels are enlarged %.1f times. Use a larger copy if there is one.", w, h, grown)
	}
	if max(w, h) >= engine.ThumbnailSide && l.Sharpness < blurred {
		add(engine.IssueBlurred, "Blurred: no part of it is sharp. The model would learn the blur.")
	}
	if l.Meta.Orientation != 1 {
		add(engine.IssueTurned, "Lies sideways or mirrored in its file. It is shown and trained upright.")
	}
	return issues
}

// Duplicate is the issue of a picture that is nearly the same as the one of the name other.
func Duplicate(other string) engine.Issue {
	return engine.Issue{Kind: engine.IssueDuplicate, Text: fmt.Sprintf("Nearly the same as %s. Keep one, or the model learns that view by heart.", other)}
}

// Duplicates pairs pictures with the first before them that is nearly the same: index -> index.
func Duplicates(looks []Look) map[int]int {
	pairs := map[int]int{}
	for i := range looks {
		for j := range i {
			if alike(looks[i].Hash, looks[j].Hash) {
				pairs[i] = j
				break
			}
		}
	}
	return pairs
}
