package dataset

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"io"
	"io/fs"
)

// What a picture may have at most: 134 million pixels is above the largest phone cameras' 108.
const (
	maxBytes  = 256 << 20 // of the file
	maxSide   = 1 << 16
	maxPixels = 1 << 27
	maxMemory = 5 << 28 // bytes of the pixels, in the decoder and as they are handed out
)

// The first bytes that are read to find the format, and the next to find the size.
const (
	magicBytes  = 64
	headerBytes = 1 << 20
)

// read finds the format in the first bytes, the size in the next and only then reads the rest, so that a film in the
// folder costs nothing and a picture that is too large little.
func read(r io.Reader) (format, []byte, error) {
	var data bytes.Buffer
	if err := readTo(&data, r, magicBytes); err != nil {
		return format{}, nil, err
	}
	f, err := formatOf(data.Bytes())
	if err != nil {
		return format{}, nil, err
	}
	total := sizeOf(r)
	if total > maxBytes {
		return format{}, nil, tooManyBytes()
	}
	data.Grow(int(min(total, headerBytes)) + bytes.MinRead) // at once, not by doubling
	if err := readTo(&data, r, headerBytes); err != nil {
		return format{}, nil, err
	}
	if _, err := f.size(data.Bytes()); err != nil && ReasonOf(err) != Truncated { // that may be for want of the rest
		return format{}, nil, err
	}
	if rest := total - int64(data.Len()); rest > 0 {
		data.Grow(int(rest) + bytes.MinRead)
	}
	if err := readTo(&data, r, maxBytes+1); err != nil {
		return format{}, nil, err
	}
	if data.Len() > maxBytes {
		return format{}, nil, tooManyBytes()
	}
	return f, data.Bytes(), nil
}

// readTo reads until data has n bytes or r ends.
func readTo(data *bytes.Buffer, r io.Reader, n int) error {
	if _, err := data.ReadFrom(io.LimitReader(r, int64(n-data.Len()))); err != nil {
		return fmt.Errorf("%w: %w", Unreadable, err)
	}
	return nil
}

// sizeOf is the length of a file, 0 where r does not tell it.
func sizeOf(r io.Reader) int64 {
	if f, ok := r.(fs.File); ok {
		if info, err := f.Stat(); err == nil {
			return info.Size()
		}
	}
	return 0
}

func tooManyBytes() error {
	return fmt.Errorf("%w: the file has more than %d MiB; save it as JPEG or make it smaller in a picture editor", TooLarge, maxBytes>>20)
}

// formatOf knows a format by a file's first bytes.
func formatOf(head []byte) (format, error) {
	if len(head) == 0 {
		return format{}, Empty
	}
	if name := foreignName(head); name != "" {
		return format{}, fmt.Errorf("%w: it is %s; open it in a picture viewer and export it as JPEG or PNG", Unsupported, name)
	}
	for _, f := range formats {
		if hasMagic(head, f.magic) {
			return f, nil
		}
	}
	return format{}, NotAPicture
}

// size reads the header and refuses sizes that cannot be meant.
func (f format) size(data []byte) (image.Point, error) {
	in := newDrained(data)
	c, err := f.config(in)
	if err != nil {
		return image.Point{}, explain(err, in.dry)
	}
	if c.Width <= 0 || c.Height <= 0 {
		return image.Point{}, fmt.Errorf("%w: it has %d x %d pixels", Damaged, c.Width, c.Height)
	}
	most := min(maxPixels, maxMemory/f.bytesPerPixel(c, data))
	if c.Width > maxSide || c.Height > maxSide || c.Width*c.Height > most {
		return image.Point{}, fmt.Errorf("%w: it has %d x %d pixels, at most %d million are read of its kind; make it smaller in a picture editor",
			TooLarge, c.Width, c.Height, most/1_000_000)
	}
	return image.Pt(c.Width, c.Height), nil
}

// bytesPerPixel is what a pixel takes at most: in what the decoder makes, and 4 in what Decode hands out.
func (f format) bytesPerPixel(c image.Config, data []byte) int {
	n, samples := 4+4, 3
	switch c.ColorModel {
	case color.NRGBA64Model, color.RGBA64Model:
		n = 8 + 4
	case color.CMYKModel: // image/jpeg makes it of four planes
		n, samples = 8+4, 4
	}
	if f.name == "jpeg" && !sequential(data) {
		n += 4 * samples // image/jpeg keeps all coefficients, as int32
	}
	return n
}
