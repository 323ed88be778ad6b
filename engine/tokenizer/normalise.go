package tokenizer

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The special tokens as they may stand in a prompt.
const (
	startText = "<|startoftext|>"
	endText   = "<|endoftext|>"
)

// normalise brings text to the form that is encoded: valid UTF-8, NFC, runs of white space as one space, lower case.
// Unlike OpenAI's own tokenizer it neither repairs mojibake nor decodes HTML entities, as transformers does not.
func normalise(text string) string {
	text = norm.NFC.String(strings.ToValidUTF8(text, "\uFFFD"))
	var b strings.Builder
	b.Grow(len(text))
	space := false
	for _, r := range text {
		if unicode.IsSpace(r) {
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		}
		space = false
		// The full lower case of U+0130 is two code points; it is the only letter with more than one. There is no
		// final sigma: letters are lowered one by one.
		if r == '\u0130' {
			b.WriteString("i\u0307")
			continue
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// class is what pieces are made of.
type class int

const (
	other  class = iota // punctuation, marks, symbols: runs are one piece
	space               // separates
	letter              // runs are one piece
	digit               // each is a piece of its own
)

func classOf(r rune) class {
	switch {
	case unicode.IsSpace(r):
		return space
	case unicode.IsLetter(r):
		return letter
	case unicode.IsNumber(r):
		return digit
	}
	return other
}

var contractions = [...]string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}

// nextPiece cuts normalised text behind its first piece, as CLIP's expression does:
// 's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+. piece is "" for white space.
func nextPiece(text string) (piece, rest string) {
	for _, c := range contractions {
		if rest, ok := strings.CutPrefix(text, c); ok {
			return c, rest
		}
	}
	first, n := other, len(text)
	for i, r := range text {
		c := classOf(r)
		if i == 0 {
			first = c
			continue
		}
		if c != first || first == digit || first == space {
			n = i
			break
		}
	}
	if first == space {
		return "", text[n:]
	}
	return text[:n], text[n:]
}
