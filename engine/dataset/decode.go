package dataset

import (
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/disintegration/imaging"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"easel/engine"
)

// Meta is what the file says about a picture.
type Meta struct {
	Format        string // "jpeg", "png", "gif", "webp", "tiff" or "bmp": by content, not by name
	Width, Height int    // pixels of the upright picture
	Orientation   int    // EXIF orientation 1 to 8, already applied
	Alpha         bool   // some pixel is not opaque
}

type format struct {
	name, magic string // in magic '?' stands for any byte
	config      func(*drained) (image.Config, error)
	decode      func(*drained) (image.Image, error)
}

var formats = []format{
	{"jpeg", "\xff\xd8", stream(jpeg.DecodeConfig), stream(jpeg.Decode)},
	{"png", "\x89PNG\r\n\x1a\n", stream(png.DecodeConfig), stream(png.Decode)},
	{"gif", "GIF8?a", stream(gif.DecodeConfig), stream(gif.Decode)},
	{"webp", "RIFF????WEBP", whole(webpConfig), whole(webpDecode)},
	{"tiff", "II*\x00", stream(tiff.DecodeConfig), stream(tiff.Decode)},
	{"tiff", "MM\x00*", stream(tiff.DecodeConfig), stream(tiff.Decode)},
	{"bmp", "BM????\x00\x00\x00\x00", stream(bmp.DecodeConfig), stream(bmp.Decode)},
}

// Decode reads a picture and turns it upright. The pixels keep their alpha, not premultiplied (see OnWhite); of an
// animation the first frame is read. Colours are taken as sRGB, 8 bits a channel.
//
// What cannot be used is refused with an *engine.Error that names the file and has a Reason in its chain. The size of
// the file is checked before it is read, where r knows it (*os.File), and the size in the header before memory for
// pixels is taken; mostly before the rest of the file is read.
func Decode(r io.Reader, name string) (*image.NRGBA, Meta, error) {
	img, meta, err := decode(r)
	if err != nil {
		return nil, Meta{}, engine.Errorf("read picture", name, ReasonOf(err).kind(), "%w", err)
	}
	return img, meta, nil
}

// decode is Decode; all its errors have a Reason.
func decode(r io.Reader) (*image.NRGBA, Meta, error) {
	raw, meta, err := decodeRaw(r)
	if err != nil {
		return nil, Meta{}, err
	}
	img := onCanvas(raw, image.Pt(meta.Width, meta.Height))
	raw = nil // free while img is turned
	img = upright(img, meta.Orientation)
	meta.Width, meta.Height, meta.Alpha = img.Rect.Dx(), img.Rect.Dy(), !img.Opaque()
	return img, meta, nil
}

// decodeRaw reads a picture as it lies in the file, neither converted nor turned; so are the sizes in Meta.
func decodeRaw(r io.Reader) (image.Image, Meta, error) {
	e, err := readEncoded(r)
	if err != nil {
		return nil, Meta{}, err
	}
	return e.decode()
}

// encoded is a picture's file, whose size is allowed.
type encoded struct {
	format
	data   []byte
	canvas image.Point
}

func readEncoded(r io.Reader) (encoded, error) {
	f, data, err := read(r)
	if err != nil {
		return encoded{}, err
	}
	size, err := f.size(data)
	return encoded{f, data, size}, err
}

func (e encoded) decode() (image.Image, Meta, error) {
	raw, err := e.pixels(e.data)
	if err != nil {
		return nil, Meta{}, err
	}
	return raw, Meta{Format: e.name, Width: e.canvas.X, Height: e.canvas.Y, Orientation: orientation(e.name, e.data)}, nil
}

// pixels runs the decoder. The decoders are other people's code and the file is anyone's: a panic in one is taken
// for a damaged file.
func (f format) pixels(data []byte) (img image.Image, err error) {
	defer func() {
		if p := recover(); p != nil {
			img, err = nil, fmt.Errorf("%w (%s decoder: %v)", Damaged, f.name, p)
		}
	}()
	in := newDrained(data)
	img, err = f.decode(in)
	if err != nil {
		return nil, explain(err, in.dry)
	}
	return img, nil
}

// onCanvas converts to 8 bits with alpha. A GIF's frame may cover a part of the picture only; the rest is transparent.
func onCanvas(img image.Image, size image.Point) *image.NRGBA {
	canvas := image.Rectangle{Max: size}
	if plain, ok := img.(*image.NRGBA); ok && plain.Rect == canvas {
		return plain
	}
	if img.Bounds() == canvas {
		return imaging.Clone(img)
	}
	out := image.NewNRGBA(canvas)
	draw.Draw(out, canvas, img, image.Point{}, draw.Src)
	return out
}

// upright undoes an EXIF orientation.
func upright(img *image.NRGBA, orientation int) *image.NRGBA {
	switch orientation {
	case 2:
		return imaging.FlipH(img)
	case 3:
		return imaging.Rotate180(img)
	case 4:
		return imaging.FlipV(img)
	case 5:
		return imaging.Transpose(img)
	case 6:
		return imaging.Rotate270(img)
	case 7:
		return imaging.Transverse(img)
	case 8:
		return imaging.Rotate90(img)
	}
	return img
}
