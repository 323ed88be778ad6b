package dataset

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// orientation finds the EXIF orientation, 1 to 8, of an encoded picture; 1 where there is none or it makes no sense.
func orientation(format string, data []byte) int {
	switch format {
	case "jpeg":
		return tiffOrientation(jpegExif(data))
	case "png":
		return tiffOrientation(pngExif(data))
	case "webp":
		return tiffOrientation(riffChunk(data, "EXIF"))
	case "tiff":
		return tiffOrientation(data)
	}
	return 1
}

var exifHeader = []byte("Exif\x00\x00")

// jpegExif is the TIFF structure in the first EXIF segment before the pixels, nil without one.
func jpegExif(data []byte) []byte {
	for marker, segment := range jpegSegments(data) {
		if exif, ok := bytes.CutPrefix(segment, exifHeader); ok && marker == 0xE1 {
			return exif
		}
	}
	return nil
}

// sequential reports whether a JPEG certainly is of the sequential kinds (ITU-T T.81, table B.1: SOF0 and SOF1).
func sequential(data []byte) bool {
	for marker := range jpegSegments(data) {
		if marker == 0xC0 || marker == 0xC1 {
			return true
		}
	}
	return false
}

// jpegSegments gives the segments before the pixels, until one makes no sense: the marker and what follows the length.
func jpegSegments(data []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for pos := 2; pos+4 <= len(data) && data[pos] == 0xFF; {
			marker, size := data[pos+1], int(binary.BigEndian.Uint16(data[pos+2:]))
			if marker == 0xFF { // filling
				pos++
				continue
			}
			const first, last = 0xD0, 0xDA // without a length, or the pixels
			if marker == 0 || marker >= first && marker <= last || size < 2 || pos+2+size > len(data) {
				return
			}
			if !yield(marker, data[pos+4:pos+2+size]) {
				return
			}
			pos += 2 + size
		}
	}
}

// pngExif is the content of the chunk eXIf (PNG specification, third edition, 11.3.4.2), nil without one.
func pngExif(data []byte) []byte {
	for pos := 8; pos+12 <= len(data); {
		size := int(binary.BigEndian.Uint32(data[pos:]))
		if size > len(data)-pos-12 {
			return nil
		}
		if string(data[pos+4:pos+8]) == "eXIf" {
			return data[pos+8 : pos+8+size]
		}
		pos += 12 + size
	}
	return nil
}

// riffChunk is the content of a WebP's first chunk of that name, after the EXIF header if it has one; nil without one.
func riffChunk(data []byte, name string) []byte {
	for pos := 12; pos+8 <= len(data); {
		size := int(binary.LittleEndian.Uint32(data[pos+4:]))
		if size > len(data)-pos-8 {
			return nil
		}
		if string(data[pos:pos+4]) == name {
			return bytes.TrimPrefix(data[pos+8:pos+8+size], exifHeader)
		}
		pos += 8 + size + size&1
	}
	return nil
}

// tiffOrientation reads tag 0x0112 of the first directory of a TIFF structure (EXIF 2.32, 4.6.4), in either byte order.
func tiffOrientation(b []byte) int {
	const upright, tag, short, entrySize = 1, 0x0112, 3, 12
	if len(b) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	start := int64(order.Uint32(b[4:]))
	if start+2 > int64(len(b)) {
		return upright
	}
	entries := b[start+2:]
	for range order.Uint16(b[start:]) {
		if len(entries) < entrySize {
			return upright
		}
		if order.Uint16(entries) == tag && order.Uint16(entries[2:]) == short {
			if v := order.Uint16(entries[8:]); v >= 1 && v <= 8 {
				return int(v)
			}
			return upright
		}
		entries = entries[entrySize:]
	}
	return upright
}
