package tokenizer

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// bertWords splits text as BERT's uncased tokenizer does before it looks for pieces: control characters dropped, accents
// stripped, lower case; words end at white space, and each punctuation mark and each Chinese character is a word.
func bertWords(text string) []string {
	text = norm.NFD.String(cleanBERT(text))
	var words []string
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsSpace(r):
			end()
		case bertPunctuation(r) || chinese(r):
			end()
			words = append(words, string(r))
		default:
			word.WriteString(lower(r))
		}
	}
	end()
	return words
}

// lower is the full lower case of a letter; U+0130 is the only one with two code points, of which the second is a mark
// that is dropped.
func lower(r rune) string {
	if r == '\u0130' {
		return "i"
	}
	return string(unicode.ToLower(r))
}

// cleanBERT drops what is no character of a text: controls other than tab and line ends, formats, the replacement
// character, unassigned code points.
func cleanBERT(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r == unicode.ReplacementChar || !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z):
			return -1
		}
		return r
	}, text)
}

// bertPunctuation: what ASCII has beside letters, digits and spaces counts, symbols too; of the rest of Unicode only
// punctuation.
func bertPunctuation(r rune) bool {
	if r < 0x80 {
		return r > ' ' && r != 0x7f && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}
	return unicode.IsPunct(r)
}

// chinese tells the ideographs of BERT's BasicTokenizer; kana and hangul are none.
func chinese(r rune) bool { return unicode.Is(ideographs, r) }

var ideographs = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x3400, Hi: 0x4dbf, Stride: 1}, {Lo: 0x4e00, Hi: 0x9fff, Stride: 1}, {Lo: 0xf900, Hi: 0xfaff, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x20000, Hi: 0x2a6df, Stride: 1}, {Lo: 0x2a700, Hi: 0x2b81f, Stride: 1}, {Lo: 0x2b920, Hi: 0x2ceaf, Stride: 1}, {Lo: 0x2f800, Hi: 0x2fa1f, Stride: 1}},
}
