package format

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"strings"
	"unicode/utf8"

	"easel/engine"
	"easel/engine/internal/atomicfile"
)

const (
	pngSignature = "\x89PNG\r\n\x1a\n"
	ihdrEnd      = 8 + 12 + 13 // signature and the IHDR chunk
	parametersKW = "parameters"
	maxPNGText   = 4 << 20 // bytes of one text, also when unpacked
)

// WritePNG writes img with the text that A1111 shows as generation parameters: a tEXt chunk, or iTXt where the text
// is not Latin-1 (modules/images.py, PIL's add_text). Empty parameters write no chunk. The file appears whole or
// not at all.
func WritePNG(path string, img image.Image, parameters string) error {
	const op = "write picture"
	if strings.ContainsRune(parameters, 0) || !utf8.ValidString(parameters) {
		return engine.Errorf(op, path, engine.BadInput, "the parameters hold characters that a PNG cannot")
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, img); err != nil {
		return engine.Errorf(op, path, engine.BadInput, "%w", err)
	}
	plain := encoded.Bytes()
	return atomicfile.Write(op, path, func(w io.Writer) error {
		_, err := w.Write(plain[:ihdrEnd])
		if err == nil && parameters != "" {
			_, err = w.Write(textChunk(parameters))
		}
		if err == nil {
			_, err = w.Write(plain[ihdrEnd:])
		}
		return err
	})
}

// textChunk is a whole chunk with keyword "parameters".
func textChunk(text string) []byte {
	kind, data := "tEXt", []byte(parametersKW+"\x00")
	if latin, ok := toLatin1(text); ok {
		data = append(data, latin...)
	} else {
		// Not compressed, no language, no translated keyword.
		kind, data = "iTXt", append(data, "\x00\x00\x00\x00"+text...)
	}
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	chunk = append(append(chunk, kind...), data...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

func toLatin1(s string) ([]byte, bool) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xFF {
			return nil, false
		}
		b = append(b, byte(r))
	}
	return b, true
}

func fromLatin1(b []byte) string {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// PNGParameters returns the text with keyword "parameters" of a PNG, of a tEXt, zTXt or iTXt chunk. It reads no
// pixels, and takes memory for text chunks alone. Errors: NotFound where there is no such text, BadFile where r is
// no PNG or a damaged one.
func PNGParameters(r io.Reader) (string, error) {
	text, err := pngText(bufio.NewReader(r), parametersKW)
	if errors.Is(err, errNoText) {
		return "", engine.Errorf("read picture", "", engine.NotFound, "%w", err)
	} else if err != nil {
		return "", engine.Errorf("read picture", "", engine.BadFile, "%w", err)
	}
	return text, nil
}

var errNoText = errors.New("the PNG holds no generation parameters")

func pngText(r io.Reader, keyword string) (string, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:]) != pngSignature {
		return "", errors.New("this is no PNG")
	}
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return "", errors.New("the PNG is cut off")
		}
		length, kind := binary.BigEndian.Uint32(head[:4]), string(head[4:])
		if kind == "IEND" {
			return "", errNoText
		}
		if kind != "tEXt" && kind != "zTXt" && kind != "iTXt" || length > maxPNGText {
			if _, err := io.CopyN(io.Discard, r, int64(length)+4); err != nil {
				return "", errors.New("the PNG is cut off")
			}
			continue
		}
		// ReadAll grows with what is there, whatever the stated length.
		body, err := io.ReadAll(io.LimitReader(r, int64(length)+4))
		if err != nil || len(body) != int(length)+4 {
			return "", errors.New("the PNG is cut off")
		}
		data, sum := body[:length], binary.BigEndian.Uint32(body[length:])
		if crc32.Update(crc32.ChecksumIEEE(head[4:]), crc32.IEEETable, data) != sum {
			return "", fmt.Errorf("the PNG is damaged: a %s chunk has the wrong checksum", kind)
		}
		if key, rest, ok := bytes.Cut(data, []byte{0}); ok && string(key) == keyword {
			return decodeText(kind, rest)
		}
	}
}

// decodeText reads what follows the keyword of a text chunk (PNG specification, 11.3.3).
func decodeText(kind string, data []byte) (string, error) {
	damaged := fmt.Errorf("the PNG is damaged: a %s chunk cannot be read", kind)
	switch {
	case kind == "tEXt":
		return fromLatin1(data), nil
	case kind == "zTXt":
		if len(data) < 1 || data[0] != 0 {
			return "", damaged
		}
		text, err := inflate(data[1:])
		return fromLatin1(text), err
	case len(data) < 2:
		return "", damaged
	}
	// compression flag, method, language, 0, translated keyword, 0, text
	parts := bytes.SplitN(data[2:], []byte{0}, 3)
	if len(parts) != 3 {
		return "", damaged
	}
	text := parts[2]
	if data[0] != 0 {
		var err error
		if text, err = inflate(text); err != nil {
			return "", err
		}
	}
	if !utf8.Valid(text) {
		return "", damaged
	}
	return string(text), nil
}

func inflate(data []byte) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("the PNG is damaged: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, maxPNGText+1))
	if err == nil && len(text) > maxPNGText {
		err = errors.New("the text is too long")
	}
	if err != nil {
		return nil, fmt.Errorf("the PNG is damaged: %w", err)
	}
	return text, nil
}
