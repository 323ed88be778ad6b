package tokenizer

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

//go:embed bpe_simple_vocab_16e6.txt.gz
var packedMerges []byte

// mergeCount is the number of merges CLIP uses; the file lists more.
const mergeCount = VocabLen - 512 - 2

// vocabulary holds the merges of CLIP's byte pair encoding in terms of ids. Ids 0 to 255 are bytes, 256 to 511 bytes
// that end a piece, and 512+r is what merge r joins; so a lower id is an earlier merge.
type vocabulary struct {
	byteID [256]int32
	merged map[[2]int32]int32
}

var clipVocabulary = sync.OnceValue(func() *vocabulary {
	v, err := readVocabulary(packedMerges)
	if err != nil {
		panic(err) // the embedded file is part of the program; a test reads it
	}
	return v
})

// readVocabulary reads the gzipped list of merges: a header line, then "left right" lines (OpenAI's
// clip/simple_tokenizer.py).
func readVocabulary(packed []byte) (*vocabulary, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	lines := strings.SplitN(string(text), "\n", mergeCount+2)
	if len(lines) < mergeCount+1 {
		return nil, fmt.Errorf("the vocabulary has %d lines, want %d", len(lines), mergeCount+1)
	}
	v := &vocabulary{merged: make(map[[2]int32]int32, mergeCount)}
	ids := make(map[string]int32, VocabLen)
	for i, b := range byteOrder() {
		v.byteID[b.value] = int32(i)
		ids[string(b.name)] = int32(i)
		ids[string(b.name)+"</w>"] = int32(256 + i)
	}
	for r, line := range lines[1 : mergeCount+1] {
		left, right, _ := strings.Cut(line, " ")
		l, okL := ids[left]
		w, okR := ids[right]
		if !okL || !okR {
			return nil, fmt.Errorf("merge %d, %q, joins an unknown token", r, line)
		}
		id := int32(512 + r)
		v.merged[[2]int32{l, w}] = id
		ids[left+right] = id
	}
	return v, nil
}

type namedByte struct {
	value byte
	name  rune // the printable character that stands for it in the file
}

// byteOrder lists the 256 bytes in the order of their ids: printable Latin-1 first, named by themselves, then the
// others, named U+0100 and on.
func byteOrder() []namedByte {
	printable := func(b int) bool { return b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE }
	var first, then []namedByte
	for b := range 256 {
		if printable(b) {
			first = append(first, namedByte{byte(b), rune(b)})
		} else {
			then = append(then, namedByte{byte(b), rune(256 + len(then))})
		}
	}
	return append(first, then...)
}

// encode appends the ids of normalised text.
func (v *vocabulary) encode(ids []int32, text string) []int32 {
	for text != "" {
		var piece string
		piece, text = nextPiece(text)
		ids = append(ids, v.piece(piece)...)
	}
	return ids
}

// piece merges the bytes of one piece, always the earliest merge first and everywhere it applies.
func (v *vocabulary) piece(piece string) []int32 {
	if piece == "" {
		return nil
	}
	ids := make([]int32, len(piece))
	for i := range len(piece) {
		ids[i] = v.byteID[piece[i]]
	}
	ids[len(ids)-1] += 256
	pairs := make([]int32, len(ids)-1) // pairs[i] is what ids[i] and ids[i+1] merge to, unmerged if nothing
	for i := range pairs {
		pairs[i] = v.pair(ids[i], ids[i+1])
	}
	for len(pairs) > 0 {
		best := slices.Min(pairs)
		if best == unmerged {
			break
		}
		ids, pairs = v.join(ids, pairs, best)
	}
	return ids
}

// unmerged stands for the id of a pair that no merge joins; it is above all ids.
const unmerged = int32(VocabLen)

func (v *vocabulary) pair(left, right int32) int32 {
	if id, ok := v.merged[[2]int32{left, right}]; ok {
		return id
	}
	return unmerged
}

// join replaces, from the left and in place, each pair that merges to id, and brings pairs up to date.
func (v *vocabulary) join(ids, pairs []int32, id int32) (newIDs, newPairs []int32) {
	n := 0
	for i := 0; i < len(ids); i++ {
		merge := i < len(pairs) && pairs[i] == id
		ids[n] = ids[i]
		if merge {
			ids[n] = id
			i++
		}
		if i < len(pairs) {
			pairs[n] = pairs[i]
		}
		n++
	}
	ids, pairs = ids[:n], pairs[:n-1]
	for i := range pairs {
		if ids[i] == id || ids[i+1] == id {
			pairs[i] = v.pair(ids[i], ids[i+1])
		}
	}
	return ids, pairs
}
