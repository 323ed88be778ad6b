package dataset

import (
	"bytes"
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

// What a picture may have at most: 134 million pixels is above the largest phone cameras' 108.
const (
	maxBytes  = 1 << 30
	maxSide   = 1 << 16
	maxPixels = 1 << 27
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
	config      func(io.Reader) (image.Config, error)
	decode      func(io.Reader) (image.Image, error)
}

var formats = []format{
	{"jpeg", "\xff\xd8", jpeg.DecodeConfig, jpeg.Decode},
	{"png", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{"gif", "GIF8?a", gif.DecodeConfig, gif.Decode},
	{"webp", "RIFF????WEBP", webpConfig, webpDecode},
	{"tiff", "II*\x00", tiff.DecodeConfig, tiff.Decode},
	{"tiff", "MM\x00*", tiff.DecodeConfig, tiff.Decode},
	{"bmp", "BM????\x00\x00\x00\x00", bmp.DecodeConfig, bmp.Decode},
}

// Decode reads a picture and turns it upright. The pixels keep their alpha, not premultiplied (see OnWhite); of an
// animation the first frame is read. Colours are taken as sRGB, 8 bits a channel.
//
// What cannot be used is refused with an *engine.Error that names the file and has a Reason in its chain. The size in
// the header is checked before memory for pixels is taken.
func Decode(r io.Reader, name string) (*image.NRGBA, Meta, error) {
	img, meta, err := decode(r)
	if err != nil {
		return nil, Meta{}, engine.Errorf("read picture", name, ReasonOf(err).kind(), "%w", err)
	}
	return img, meta, nil
}

// decode is Decode; all its errors have a Reason.
func decode(r io.Reader) (*image.NRGBA, Meta, error) {
	f, data, err := read(r)
	if err != nil {
		return nil, Meta{}, err
	}
	size, err := f.size(data)
	if err != nil {
		return nil, Meta{}, err
	}
	raw, err := f.pixels(data)
	if err != nil {
		return nil, Meta{}, err
	}
	meta := Meta{Format: f.name, Orientation: orientation(f.name, data)}
	img := upright(onCanvas(raw, size), meta.Orientation)
	meta.Width, meta.Height, meta.Alpha = img.Rect.Dx(), img.Rect.Dy(), !img.Opaque()
	return img, meta, nil
}

// read finds the format in the first bytes and only then reads the rest, so that a film in the folder costs nothing.
func read(r io.Reader) (format, []byte, error) {
	head := make([]byte, 64)
	n, err := io.ReadFull(r, head)
	head = head[:n]
	switch {
	case err != nil && err != io.EOF && err != io.ErrUnexpectedEOF:
		return format{}, nil, fmt.Errorf("%w: %w", Unreadable, err)
	case n == 0:
		return format{}, nil, Empty
	}
	if name := foreignName(head); name != "" {
		return format{}, nil, fmt.Errorf("%w: it is %s; open it in a picture viewer and export it as JPEG or PNG", Unsupported, name)
	}
	for _, f := range formats {
		if !hasMagic(head, f.magic) {
			continue
		}
		rest, err := io.ReadAll(io.LimitReader(r, maxBytes))
		if err != nil {
			return format{}, nil, fmt.Errorf("%w: %w", Unreadable, err)
		}
		if len(rest) == maxBytes {
			return format{}, nil, fmt.Errorf("%w: the file has more than %d MiB", TooLarge, maxBytes>>20)
		}
		return f, append(head, rest...), nil
	}
	return format{}, nil, NotAPicture
}

// size reads the header and refuses sizes that cannot be meant.
func (f format) size(data []byte) (image.Point, error) {
	in := &drained{data: bytes.NewReader(data)}
	c, err := f.config(in)
	if err != nil {
		return image.Point{}, explain(err, in.dry)
	}
	if c.Width <= 0 || c.Height <= 0 {
		return image.Point{}, fmt.Errorf("%w: it has %d x %d pixels", Damaged, c.Width, c.Height)
	}
	if c.Width > maxSide || c.Height > maxSide || c.Width*c.Height > maxPixels {
		return image.Point{}, fmt.Errorf("%w: it has %d x %d pixels, at most %d million are read; make it smaller in a picture editor",
			TooLarge, c.Width, c.Height, maxPixels/1_000_000)
	}
	return image.Pt(c.Width, c.Height), nil
}

// pixels runs the decoder. The decoders are other people's code and the file is anyone's: a panic in one is taken
// for a damaged file.
func (f format) pixels(data []byte) (img image.Image, err error) {
	defer func() {
		if p := recover(); p != nil {
			img, err = nil, fmt.Errorf("%w (%s decoder: %v)", Damaged, f.name, p)
		}
	}()
	in := &drained{data: bytes.NewReader(data)}
	img, err = f.decode(in)
	if err != nil {
		return nil, explain(err, in.dry)
	}
	return img, nil
}

// onCanvas converts to 8 bits with alpha. A GIF's frame may cover a part of the picture only; the rest is transparent.
func onCanvas(img image.Image, size image.Point) *image.NRGBA {
	canvas := image.Rectangle{Max: size}
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
