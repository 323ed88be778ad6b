package dataset_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/internal/golden"
)

// twoColours is 16 pixels wide and 8 high: red on the left, blue on the right.
func twoColours() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, 16, 8))
	for y := range 8 {
		for x := range 16 {
			img.SetNRGBA(x, y, color.NRGBA{R: 255, A: 255})
			if x >= 8 {
				img.SetNRGBA(x, y, color.NRGBA{B: 255, A: 255})
			}
		}
	}
	return img
}

// exifOf is a TIFF structure with an orientation.
func exifOf(order binary.AppendByteOrder, mark string, value uint16) []byte {
	b := []byte(mark)
	b = order.AppendUint32(order.AppendUint16(b, 42), 8)
	b = order.AppendUint16(b, 2) // entries: ImageWidth, then Orientation
	b = order.AppendUint32(order.AppendUint32(order.AppendUint16(order.AppendUint16(b, 0x100), 4), 1), 16)
	b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, 0x112), 3), 1)
	b = order.AppendUint16(order.AppendUint16(b, value), 0)
	return order.AppendUint32(b, 0)
}

// jpegWith is a JPEG with an EXIF segment of these bytes.
func jpegWith(exif []byte) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, twoColours(), &jpeg.Options{Quality: 95}); err != nil {
		panic(err)
	}
	segment := append([]byte("Exif\x00\x00"), exif...)
	head := append([]byte{0xFF, 0xD8, 0xFF, 0xE1}, binary.BigEndian.AppendUint16(nil, uint16(2+len(segment)))...)
	return append(append(head, segment...), b.Bytes()[2:]...)
}

// pngWith is a PNG with an eXIf chunk before its pixels.
func pngWith(exif []byte) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, twoColours()); err != nil {
		panic(err)
	}
	chunk := append([]byte("eXIf"), exif...)
	out := append([]byte(nil), b.Bytes()[:33]...)
	out = append(binary.BigEndian.AppendUint32(out, uint32(len(exif))), chunk...)
	out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
	return append(out, b.Bytes()[33:]...)
}

// isRed tells the red half from the blue one, JPEG noise or not.
func isRed(c color.NRGBA) bool { return c.R > 200 && c.B < 60 }

func TestOrientation(t *testing.T) {
	orders := map[string]binary.AppendByteOrder{"II": binary.LittleEndian, "MM": binary.BigEndian}
	for mark, order := range orders {
		for value := range uint16(10) {
			exif := exifOf(order, mark, value)
			for kind, data := range map[string][]byte{"jpeg": jpegWith(exif), "png": pngWith(exif)} {
				img, meta, err := dataset.Decode(bytes.NewReader(data), kind)
				if err != nil {
					t.Fatal(err)
				}
				want := int(value)
				if value < 1 || value > 8 {
					want = 1
				}
				if meta.Orientation != want || meta.Format != kind {
					t.Errorf("%s, %s, %d: got %+v", kind, mark, value, meta)
				}
				// The red half, stored on the left, belongs here:
				side := map[int]image.Point{1: {0, 4}, 2: {15, 4}, 3: {15, 4}, 4: {0, 4}, 5: {4, 0}, 6: {4, 0}, 7: {4, 15}, 8: {4, 15}}[want]
				if !isRed(img.NRGBAAt(side.X, side.Y)) || isRed(img.NRGBAAt(meta.Width-1-side.X, meta.Height-1-side.Y)) {
					t.Errorf("%s, %s, %d: red is not at %v", kind, mark, value, side)
				}
			}
		}
	}
}

func TestWebPAndTIFFOrientation(t *testing.T) {
	exif := exifOf(binary.LittleEndian, "II", 6)
	webp, err := os.ReadFile(golden.Path(t, "images", "lossless_alpha.webp"))
	if err != nil {
		t.Fatal(err)
	}
	plain, before, err := dataset.Decode(bytes.NewReader(webp), "plain.webp")
	if err != nil {
		t.Fatal(err)
	}
	if string(webp[12:16]) != "VP8L" {
		t.Fatalf("the file's first chunk is %q", webp[12:16])
	}
	// The extended container: flags alpha and EXIF, canvas size, then the frame and the EXIF chunk.
	w, h := uint32(before.Width-1), uint32(before.Height-1)
	body := append([]byte("WEBPVP8X\x0a\x00\x00\x00\x18\x00\x00\x00"), byte(w), byte(w>>8), 0, byte(h), byte(h>>8), 0)
	body = append(body, webp[12:]...)
	body = append(append(body, "EXIF"...), binary.LittleEndian.AppendUint32(nil, uint32(len(exif)))...)
	body = append(body, exif...)
	data := append(append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(body)))...), body...)
	img, meta, err := dataset.Decode(bytes.NewReader(data), "extended.webp")
	if err != nil {
		t.Fatal(err)
	}
	if meta.Orientation != 6 || meta.Width != before.Height || !meta.Alpha {
		t.Errorf("got %+v", meta)
	}
	if got, want := img.NRGBAAt(meta.Width-1, 0), plain.NRGBAAt(0, 0); got != want {
		t.Errorf("the first pixel went elsewhere: %v, want %v", got, want)
	}
}

// A GIF's first frame may be smaller than the picture: the rest is transparent.
func TestGIFFrameOnCanvas(t *testing.T) {
	frame := image.NewPaletted(image.Rect(2, 1, 4, 3), color.Palette{color.NRGBA{R: 255, A: 255}, color.NRGBA{B: 255, A: 255}})
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame}, Delay: []int{0}, Config: image.Config{ColorModel: frame.Palette, Width: 6, Height: 5}})
	if err != nil {
		t.Fatal(err)
	}
	img, meta, err := dataset.Decode(&b, "small.gif")
	if err != nil {
		t.Fatal(err)
	}
	if img.Rect != image.Rect(0, 0, 6, 5) || !meta.Alpha || img.NRGBAAt(0, 0).A != 0 || img.NRGBAAt(2, 1) != (color.NRGBA{R: 255, A: 255}) || img.NRGBAAt(4, 3).A != 0 {
		t.Errorf("got %v, %+v", img, meta)
	}
}

func TestOnWhite(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 3, 1))
	img.SetNRGBA(0, 0, color.NRGBA{R: 10, A: 255})
	img.SetNRGBA(1, 0, color.NRGBA{R: 255, A: 51})
	got := dataset.OnWhite(img)
	for x, want := range []color.NRGBA{{10, 0, 0, 255}, {255, 204, 204, 255}, {255, 255, 255, 255}} {
		if got.NRGBAAt(x, 0) != want {
			t.Errorf("pixel %d: %v, want %v", x, got.NRGBAAt(x, 0), want)
		}
	}
	if img.NRGBAAt(2, 0).A != 0 {
		t.Error("the original was changed")
	}
}

func TestDecodeRefuses(t *testing.T) {
	whole := pngWith(nil)
	broken := bytes.Clone(whole)
	broken[len(broken)-20] ^= 0xFF // in the pixels' checksum
	bomb := bytes.Clone(whole)
	binary.BigEndian.PutUint32(bomb[16:], 40_000)
	binary.BigEndian.PutUint32(bomb[20:], 40_000)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
	for _, c := range []struct {
		name string
		data string
		want dataset.Reason
		kind engine.Kind
	}{
		{"nothing", "", dataset.Empty, engine.BadFile},
		{"one byte", "\xff", dataset.NotAPicture, engine.BadFile},
		{"text", strings.Repeat("not a picture ", 20), dataset.NotAPicture, engine.BadFile},
		{"a film", "\x00\x00\x00\x18ftypisom\x00\x00\x00\x00", dataset.NotAPicture, engine.BadFile},
		{"AVIF", "\x00\x00\x00\x18ftypavif\x00\x00\x00\x00", dataset.Unsupported, engine.Unsupported},
		{"JPEG XL", "\xff\x0a\x00\x00", dataset.Unsupported, engine.Unsupported},
		{"animated WebP", "RIFF\x0c\x00\x00\x00WEBPANMF\x00\x00\x00\x00", dataset.Unsupported, engine.Unsupported},
		{"a WebP without a frame", "RIFF\x04\x00\x00\x00WEBP", dataset.Damaged, engine.BadFile},
		{"a huge header", string(bomb), dataset.TooLarge, engine.Unsupported},
		{"a wrong checksum", string(broken), dataset.Damaged, engine.BadFile},
	} {
		_, _, err := dataset.Decode(strings.NewReader(c.data), c.name)
		if dataset.ReasonOf(err) != c.want || engine.KindOf(err) != c.kind {
			t.Errorf("%s: got %q, %v (%v)", c.name, string(dataset.ReasonOf(err)), engine.KindOf(err), err)
		}
		if err != nil && !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s is not named in %q", c.name, err)
		}
	}
	fault := errors.New("cable out")
	_, _, err := dataset.Decode(iotest.ErrReader(fault), "x")
	if dataset.ReasonOf(err) != dataset.Unreadable || !errors.Is(err, fault) {
		t.Errorf("a reader's error: got %v", err)
	}
}

// What a small file claims must not make the decoder take memory.
func TestDecodeTakesNoMemoryForClaims(t *testing.T) {
	for _, c := range []struct{ name, data string }{
		{"a directory at 4 GB", "II*\x00\xf0\xff\xff\xff" + strings.Repeat("x", 100)},
		{"a WebP of 4 GB", "RIFF\xf0\xff\xff\xffWEBPVP8 \xf0\xff\xff\xff"},
		{"a PNG of 65535 x 65535", "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\xff\xff\x00\x00\xff\xff\x08\x02\x00\x00\x00\x80\x1b\x34\x7d"},
		{"a GIF of 65535 x 65535", "GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x08"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := dataset.Decode(strings.NewReader(c.data), c.name)
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; err == nil || taken > 1<<20 {
			t.Errorf("%s: %d bytes taken, %v", c.name, taken, err)
		}
	}
}

// resized is a PNG or JPEG with another size in its header; change may turn more of it.
func resized(kind string, width, height uint16, change func(header []byte)) string {
	var data, header []byte
	if kind == "png" {
		data = pngWith(nil)
		header = data[16:29]
		binary.BigEndian.PutUint32(header, uint32(width))
		binary.BigEndian.PutUint32(header[4:], uint32(height))
		change(header)
		binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
		return string(data)
	}
	data = jpegWith(exifOf(binary.BigEndian, "MM", 1))
	header = data[bytes.Index(data, []byte("\xff\xc0")):]
	binary.BigEndian.PutUint16(header[5:], height)
	binary.BigEndian.PutUint16(header[7:], width)
	change(header)
	return string(data)
}

// What decides is the memory that the decoder takes, not the pixels alone.
func TestDecodeLimitsMemory(t *testing.T) {
	none := func([]byte) {}
	for _, c := range []struct{ name, data, says string }{
		{"8 bits", resized("png", 40_000, 4_000, none), "at most 134 million"},
		{"16 bits", resized("png", 12_000, 10_000, func(h []byte) { h[8] = 16 }), "at most 111 million"},
		{"JPEG", resized("jpeg", 40_000, 4_000, none), "at most 134 million"},
		{"progressive JPEG", resized("jpeg", 9_000, 9_000, func(h []byte) { h[1] = 0xC2 }), "at most 67 million"},
	} {
		_, _, err := dataset.Decode(strings.NewReader(c.data), c.name)
		if dataset.ReasonOf(err) != dataset.TooLarge || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.says)
		}
	}
}

// A large file that only begins like a picture is refused before much of it is read.
func TestDecodeReadsNoLargeFile(t *testing.T) {
	const bmp = "BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00" // then width and height
	for _, c := range []struct {
		name, begin string
		size        int64
		want        dataset.Reason
	}{
		{"JPEG", "\xff\xd8\xff", 257 << 20, dataset.TooLarge},
		{"BMP", bmp, 1 << 33, dataset.TooLarge},
		{"BMP of many pixels", bmp + "\x00\xf0\x00\x00\x00\xf0\x00\x00\x01\x00\x18\x00", 250 << 20, dataset.TooLarge},
		{"no BMP after all", bmp + "\x00\xf0\x00\x00\x00\xf0\x00\x00\x01\x00\x07\x00", 250 << 20, dataset.Unsupported},
		{"PNG without a header", "\x89PNG\r\n\x1a\n", 250 << 20, dataset.Damaged},
	} {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, []byte(c.begin), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, c.size); err != nil {
			t.Skipf("no large sparse file can be made: %v", err)
		}
		var err error
		taken := allocated(func() { _, _, err = decodeFile(t, path) })
		if dataset.ReasonOf(err) != c.want || taken > 8<<20 {
			t.Errorf("%s: %d bytes taken, %v", c.name, taken, err)
		}
	}
}

// A picture is found whatever stands before its size, and its file is held once.
func TestDecodeFindsASizeFarBack(t *testing.T) {
	const filling = 40 << 20
	var data bytes.Buffer
	whole := jpegWith(exifOf(binary.BigEndian, "MM", 6))
	data.Write(whole[:2])
	comment := append([]byte{0xFF, 0xFE, 0xFF, 0xFF}, make([]byte, 0xFFFF-2)...)
	for data.Len() < filling {
		data.Write(comment)
	}
	data.Write(whole[2:])
	path := filepath.Join(t.TempDir(), "x.jpg")
	if err := os.WriteFile(path, data.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	var img *image.NRGBA
	var meta dataset.Meta
	var err error
	taken := allocated(func() { img, meta, err = decodeFile(t, path) })
	if err != nil || img.Rect != image.Rect(0, 0, 8, 16) || meta.Orientation != 6 {
		t.Errorf("%+v, %v", meta, err)
	}
	if taken > filling+filling/4 {
		t.Errorf("%d bytes taken for a file of %d", taken, data.Len())
	}
	if _, _, err := dataset.Decode(iotest.HalfReader(&data), "x"); err != nil { // a reader that does not tell its length
		t.Error(err)
	}
}

// allocated is how many bytes f takes; 0 under the race detector (-short), where bytes.Buffer takes all twice.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if testing.Short() {
		return 0
	}
	return after.TotalAlloc - before.TotalAlloc
}

// FuzzEXIF puts any bytes where the EXIF structure belongs: the picture must be read all the same.
func FuzzEXIF(f *testing.F) {
	f.Add(exifOf(binary.LittleEndian, "II", 6))
	f.Add(exifOf(binary.BigEndian, "MM", 3))
	f.Add([]byte("II*\x00\xff\xff\xff\xff"))
	f.Add([]byte("MM\x00*\x00\x00\x00\x08\xff\xff"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, exif []byte) {
		if len(exif) > 60_000 {
			return
		}
		for _, data := range [][]byte{jpegWith(exif), pngWith(exif)} {
			_, meta, err := dataset.Decode(bytes.NewReader(data), "x")
			if err != nil {
				t.Fatal(err)
			}
			if meta.Orientation < 1 || meta.Orientation > 8 || meta.Width*meta.Height != 16*8 {
				t.Fatalf("%+v", meta)
			}
		}
	})
}

// FuzzDecode changes small files of every format; each is read or refused with a Reason.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"exif_6_bigendian.jpg", "palette_transparent.png", "palette.gif", "rgb.bmp", "lzw.tiff", "deflate.tiff", "lossy.webp", "lossless_alpha.webp"} {
		data, err := os.ReadFile(golden.Path(f, "images", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		img, meta, err := dataset.Decode(bytes.NewReader(data), "x")
		switch {
		case err != nil && dataset.ReasonOf(err) == "":
			t.Fatalf("no reason: %v", err)
		case err == nil && img.Rect != image.Rect(0, 0, meta.Width, meta.Height):
			t.Fatalf("%v, %+v", img.Rect, meta)
		}
	})
}
