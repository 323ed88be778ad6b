package dataset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
	"golang.org/x/image/webp"
)

// webpConfig reads the size of the frame itself. That of the container alone (VP8X) would not do as a guard, because
// the decoder takes memory for the frame. checkWebP finds the file whole, so no error here is for want of bytes.
func webpConfig(data []byte) (image.Config, error) {
	if err := checkWebP(data); err != nil {
		return image.Config{}, err
	}
	if lossless := riffChunk(data, "VP8L"); lossless != nil {
		c, err := vp8l.DecodeConfig(bytes.NewReader(lossless))
		return c, explain(err, false)
	}
	frame := riffChunk(data, "VP8 ")
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(frame), len(frame))
	h, err := d.DecodeFrameHeader()
	if err != nil {
		return image.Config{}, explain(err, false)
	}
	// The plane of alpha has the container's size; where that differs from the frame's the picture is nonsense.
	if c, err := webp.DecodeConfig(bytes.NewReader(data)); err == nil && (c.Width != h.Width || c.Height != h.Height) {
		return image.Config{}, fmt.Errorf("%w (webp: canvas %d x %d, frame %d x %d)", Damaged, c.Width, c.Height, h.Width, h.Height)
	}
	return image.Config{ColorModel: color.NRGBAModel, Width: h.Width, Height: h.Height}, nil
}

// webpDecode decodes a still WebP to *image.NRGBA.
func webpDecode(data []byte) (image.Image, error) {
	if err := checkWebP(data); err != nil {
		return nil, err
	}
	// x/image/webp refuses a lossless frame with alpha in an extended file (one with EXIF or a colour profile), so
	// lossless frames go straight to their decoder.
	if lossless := riffChunk(data, "VP8L"); lossless != nil {
		img, err := vp8l.Decode(bytes.NewReader(lossless))
		return img, explain(err, false)
	}
	img, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, explain(err, false)
	}
	switch img := img.(type) {
	case *image.YCbCr:
		return studioRange(img, nil, 0), nil
	case *image.NYCbCrA:
		return studioRange(&img.YCbCr, img.A, img.AStride), nil
	}
	return img, nil
}

// checkWebP checks that a WebP file is whole and holds a still picture.
func checkWebP(data []byte) error {
	switch {
	case len(data) < 12 || int64(binary.LittleEndian.Uint32(data[4:])) > int64(len(data)-8):
		return Truncated
	case riffChunk(data, "VP8 ") != nil || riffChunk(data, "VP8L") != nil:
		return nil
	case riffChunk(data, "ANMF") != nil:
		return fmt.Errorf("%w: it is an animated WebP; save one of its frames as PNG", Unsupported)
	}
	return fmt.Errorf("%w (webp: no frame)", Damaged)
}

// studioRange converts a VP8 frame to RGB. VP8 stores luma as 16 to 235 and chroma as 16 to 240 (ITU-R BT.601);
// x/image/webp hands it out as image.YCbCr, which stands for the full range, so that its colours would be off by up
// to 17. alpha may be nil.
func studioRange(src *image.YCbCr, alpha []byte, alphaStride int) *image.NRGBA {
	b := src.Rect
	dst := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		row := dst.Pix[y*dst.Stride:]
		for x := range b.Dx() {
			c := src.YCbCrAt(b.Min.X+x, b.Min.Y+y)
			luma, cb, cr := 1.164*(float32(c.Y)-16), float32(c.Cb)-128, float32(c.Cr)-128
			p := row[4*x : 4*x+4]
			p[0] = toByte(luma + 1.596*cr)
			p[1] = toByte(luma - 0.392*cb - 0.813*cr)
			p[2] = toByte(luma + 2.017*cb)
			p[3] = 255
			if alpha != nil {
				p[3] = alpha[y*alphaStride+x]
			}
		}
	}
	return dst
}

func toByte(v float32) byte { return byte(min(max(v+0.5, 0), 255)) }
