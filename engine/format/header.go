package format

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a safetensors header. The first is the official one; the others keep a hostile header from taking
// many times its own size in memory, or hours.
const (
	maxHeader   = 100_000_000
	maxTensors  = 250_000
	maxMetadata = 100_000
	maxFields   = 32        // of one tensor; three are known
	maxKeys     = 1_200_000 // of all objects together
	maxDepth    = 100       // of what is not known
	maxDims     = 32
	maxNumber   = uint64(1) << 48
)

// entry is one tensor of a file. begin and end count bytes of the data section.
type entry struct {
	name       string
	dtype      dtype
	shape      []int
	begin, end uint64
	strides    []int // in elements, where they do not lie one after the other; nil in safetensors
}

type header struct {
	entries  []entry // by offset, then name
	metadata map[string]string
}

// headerLength reads the first eight bytes of a file of the given size.
func headerLength(prefix []byte, size int64) (int64, error) {
	if len(prefix) < 8 || size < 8 {
		return 0, errors.New("the file is too short to be safetensors")
	}
	n := binary.LittleEndian.Uint64(prefix)
	if n > maxHeader {
		return 0, fmt.Errorf("this is neither a safetensors nor a PyTorch file, or its header of %d bytes is too large", n)
	}
	if int64(n) > size-8 {
		return 0, errors.New("the file ends within its header; it may be a broken download")
	}
	return int64(n), nil
}

// parseHeader applies the checks of the official reader (safetensors/src/tensor.rs) and forbids duplicate keys,
// as the format's README does. size is the length of the data section.
func parseHeader(raw []byte, size int64) (*header, error) {
	if len(raw) == 0 || raw[0] != '{' {
		return nil, errors.New("the header does not begin with {; this is no safetensors file")
	}
	if !utf8.Valid(raw) {
		return nil, errors.New("the header is not UTF-8")
	}
	h := &header{metadata: map[string]string{}}
	p := &parser{Decoder: json.NewDecoder(bytes.NewReader(raw))}
	p.UseNumber()
	err := p.object(maxTensors+1, func(key string) error {
		if key == "__metadata__" {
			return p.metadata(h.metadata)
		}
		e, err := p.entry(key)
		h.entries = append(h.entries, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the header is damaged: %w", err)
	}
	if rest := raw[p.InputOffset():]; len(bytes.TrimLeft(rest, " \t\r\n")) > 0 {
		return nil, errors.New("the header is damaged: text follows its last }")
	}
	return h, h.validate(uint64(size))
}

// validate sorts the entries and checks that they fill the data section exactly.
func (h *header) validate(size uint64) error {
	slices.SortFunc(h.entries, compareEntries)
	var at uint64
	for _, e := range h.entries {
		if e.begin != at || e.end < e.begin {
			return fmt.Errorf("tensor %q lies at bytes %d to %d, where %d was expected to begin", e.name, e.begin, e.end, at)
		}
		at = e.end
		n, err := byteLen(e.dtype, e.shape)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", e.name, err)
		}
		if n != e.end-e.begin {
			return fmt.Errorf("tensor %q of type %s and shape %v needs %d bytes, the header gives %d", e.name, e.dtype.name, e.shape, n, e.end-e.begin)
		}
	}
	switch {
	case at > size:
		return fmt.Errorf("the file is cut off: %d of %d bytes are missing; it may be a broken download", at-size, at)
	case at < size:
		return fmt.Errorf("%d unknown bytes follow the last tensor", size-at)
	}
	return nil
}

// compareEntries orders by place in the file, then by name.
func compareEntries(a, b entry) int {
	return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), strings.Compare(a.name, b.name))
}

// byteLen is the number of bytes of a tensor.
func byteLen(d dtype, shape []int) (uint64, error) {
	n := uint64(1)
	for _, dim := range append([]int{int(d.bits)}, shape...) {
		hi, lo := bits.Mul64(n, uint64(dim))
		if hi != 0 {
			return 0, fmt.Errorf("shape %v is too large", shape)
		}
		n = lo
	}
	if n%8 != 0 {
		return 0, fmt.Errorf("shape %v of %s is not a whole number of bytes", shape, d.name)
	}
	return n / 8, nil
}

// parser reads the header token by token, because encoding/json's Unmarshal hides duplicate keys.
type parser struct {
	*json.Decoder
	keys int // read so far
}

// object reads an object of at most limit keys, calling member for each with the decoder before the value.
func (p *parser) object(limit int, member func(key string) error) error {
	if err := p.delim('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.More() {
		key, err := p.text()
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("the name %q occurs twice", key)
		}
		if p.keys++; len(seen) == limit || p.keys > maxKeys {
			return fmt.Errorf("there are more than %d names in one place, or %d in all", limit, maxKeys)
		}
		seen[key] = true
		if err := member(key); err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
	}
	return p.delim('}')
}

func (p *parser) delim(want json.Delim) error {
	tok, err := p.Token()
	if err == nil && tok != want {
		err = fmt.Errorf("%v found where %v belongs", tok, want)
	}
	return err
}

func (p *parser) text() (string, error) {
	tok, err := p.Token()
	if err != nil {
		return "", err
	}
	s, ok := tok.(string)
	if !ok {
		return "", fmt.Errorf("%v found where a text belongs", tok)
	}
	return s, nil
}

func (p *parser) metadata(into map[string]string) error {
	return p.object(maxMetadata, func(key string) (err error) {
		into[key], err = p.text()
		return err
	})
}

func (p *parser) entry(name string) (entry, error) {
	e := entry{name: name}
	var offsets []uint64
	fields := 0
	err := p.object(maxFields, func(key string) error {
		switch key {
		case "dtype":
			fields++
			s, err := p.text()
			if err != nil {
				return err
			}
			var ok bool
			if e.dtype, ok = dtypes[s]; !ok {
				return fmt.Errorf("unknown type %q", s)
			}
			return nil
		case "shape":
			fields++
			dims, err := p.numbers(maxDims)
			for _, d := range dims {
				e.shape = append(e.shape, int(d))
			}
			return err
		case "data_offsets":
			fields++
			var err error
			offsets, err = p.numbers(2)
			return err
		}
		return p.skip()
	})
	if err != nil {
		return e, err
	}
	if fields != 3 || len(offsets) != 2 {
		return e, errors.New("dtype, shape and two data_offsets are needed")
	}
	e.begin, e.end = offsets[0], offsets[1]
	return e, nil
}

// skip reads a value of any kind, and keeps nothing of it.
func (p *parser) skip() error {
	for depth := 0; ; {
		tok, err := p.Token()
		if err != nil {
			return err
		}
		switch tok {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
		if depth > maxDepth {
			return fmt.Errorf("lists lie more than %d deep in each other", maxDepth)
		}
	}
}

// numbers reads an array of at most limit whole numbers below 2^48 that fit in an int.
func (p *parser) numbers(limit int) ([]uint64, error) {
	if err := p.delim('['); err != nil {
		return nil, err
	}
	var ns []uint64
	for p.More() {
		tok, err := p.Token()
		if err != nil {
			return nil, err
		}
		num, ok := tok.(json.Number)
		if !ok {
			return nil, fmt.Errorf("%v found where a number belongs", tok)
		}
		n, err := strconv.ParseUint(num.String(), 10, 64)
		if err != nil || n > maxNumber || n > math.MaxInt {
			return nil, fmt.Errorf("%s is not a usable size", num)
		}
		if len(ns) == limit {
			return nil, fmt.Errorf("more than %d numbers", limit)
		}
		ns = append(ns, n)
	}
	return ns, p.delim(']')
}
