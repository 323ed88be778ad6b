package format

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"easel/engine"
	"easel/engine/internal/atomicfile"
	"easel/engine/kernel"
)

const opWrite = "write safetensors"

// Named is a tensor with its name in a file. It is written in its own type.
type Named struct {
	Name   string
	Tensor *kernel.Tensor
}

// Write makes a safetensors file of the tensors and metadata (which may be nil), laid out as the official writer
// does. The file appears whole or not at all. Errors: BadInput for names or metadata that the format cannot hold,
// BadFile where the disk refuses.
func Write(path string, tensors []Named, metadata map[string]string) error {
	return WriteStored(path, storedAll(tensors), metadata)
}

// WriteStored is Write for tensors of any type, each of which is asked for its data when its turn comes, so that one
// at a time is in memory. An *engine.Error of Data is returned as it is.
func WriteStored(path string, tensors []Stored, metadata map[string]string) error {
	l, err := arrange(tensors, metadata)
	if err != nil {
		return err
	}
	return atomicfile.Write(opWrite, path, l.write)
}

// Encode writes the bytes of Write's file to w.
func Encode(w io.Writer, tensors []Named, metadata map[string]string) error {
	l, err := arrange(storedAll(tensors), metadata)
	if err != nil {
		return err
	}
	return l.write(w)
}

// ModelHash is the hash that File.ModelHash gives for a file of these tensors. It does not depend on metadata.
func ModelHash(tensors []Named) string {
	h := sha256.New()
	layout{tensors: inFileOrder(storedAll(tensors))}.writeData(h) // neither these tensors nor a hash can fail
	return hex.EncodeToString(h.Sum(nil))
}

// layout is a file about to be written.
type layout struct {
	header  []byte // with the length before it and the padding behind it
	tensors []Stored
}

// inFileOrder sorts by descending type, then by name (safetensors/src/tensor.rs, prepare).
func inFileOrder(tensors []Stored) []Stored {
	return slices.SortedFunc(slices.Values(tensors), func(a, b Stored) int {
		ra, rb := dtypes[a.DType].rank, dtypes[b.DType].rank
		if ra != rb {
			return rb - ra
		}
		return strings.Compare(a.Name, b.Name)
	})
}

func arrange(tensors []Stored, metadata map[string]string) (layout, error) {
	if len(tensors) > maxTensors || len(metadata) > maxMetadata {
		return layout{}, engine.Errorf(opWrite, "", engine.BadInput, "%d tensors and %d metadata are more than Easel reads back", len(tensors), len(metadata))
	}
	l := layout{tensors: inFileOrder(tensors)}
	b := append(make([]byte, 8, 1024), '{')
	if metadata != nil {
		b = append(b, `"__metadata__":{`...)
		for i, key := range slices.Sorted(maps.Keys(metadata)) {
			if !utf8.ValidString(key) || !utf8.ValidString(metadata[key]) {
				return l, engine.Errorf(opWrite, "", engine.BadInput, "metadata %q is not UTF-8", key)
			}
			b = comma(b, i)
			b = append(quote(b, key), ':')
			b = quote(b, metadata[key])
		}
		b = append(b, '}')
	}
	seen := map[string]bool{"__metadata__": true}
	offset := uint64(0)
	for i, n := range l.tensors {
		if seen[n.Name] || !utf8.ValidString(n.Name) {
			return l, engine.Errorf(opWrite, "", engine.BadInput, "the tensor name %q is used twice or not UTF-8", n.Name)
		}
		seen[n.Name] = true
		if i > 0 || metadata != nil {
			b = append(b, ',')
		}
		size, err := byteLen(dtypes[n.DType], n.Shape)
		if err != nil {
			return l, engine.Errorf(opWrite, "", engine.BadInput, "tensor %q: %w", n.Name, err)
		}
		end := offset + size
		b = append(quote(b, n.Name), fmt.Sprintf(`:{"dtype":"%s","shape":[`, n.DType)...)
		for j, d := range n.Shape {
			b = strconv.AppendInt(comma(b, j), int64(d), 10)
		}
		b = fmt.Appendf(b, `],"data_offsets":[%d,%d]}`, offset, end)
		offset = end
	}
	b = append(b, '}')
	for len(b)%8 != 0 {
		b = append(b, ' ')
	}
	if len(b)-8 > maxHeader {
		return l, engine.Errorf(opWrite, "", engine.BadInput, "names and metadata exceed %d bytes", maxHeader)
	}
	binary.LittleEndian.PutUint64(b, uint64(len(b)-8))
	l.header = b
	return l, nil
}

func (l layout) write(w io.Writer) error {
	buffered := bufio.NewWriterSize(w, 1<<20)
	if _, err := buffered.Write(l.header); err != nil {
		return err
	}
	if err := l.writeData(buffered); err != nil {
		return err
	}
	return buffered.Flush()
}

func (l layout) writeData(w io.Writer) error {
	for _, n := range l.tensors {
		data, err := n.Data()
		if err != nil {
			return err
		}
		if size, err := byteLen(dtypes[n.DType], n.Shape); err != nil || uint64(len(data)) != size {
			return engine.Errorf(opWrite, "", engine.Internal, "%d bytes were made for %s of type %s and shape %v", len(data), n.Name, n.DType, n.Shape)
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return nil
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

// quote appends s as JSON text with only the escapes that JSON demands, as Rust's serde_json and Python's
// json.dumps(ensure_ascii=False) do. encoding/json escapes more.
func quote(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		c := s[i]
		if short := strings.IndexByte("\"\\\b\f\n\r\t", c); short >= 0 {
			b = append(b, '\\', `"\bfnrt`[short])
		} else if c < 0x20 {
			b = fmt.Appendf(b, `\u%04x`, c)
		} else {
			b = append(b, c)
		}
	}
	return append(b, '"')
}
