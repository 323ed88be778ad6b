// Package tokenizer turns prompts into the token ids of CLIP's text encoders: byte pair encoding over lower-cased text,
// with the 49408 tokens that Stable Diffusion 1, 2 and XL share. The ids are those of transformers' CLIPTokenizer.
// WordPiece is the tokenizer of captioners, which read and write BERT's word pieces.
package tokenizer

import (
	"maps"
	"strings"
)

// The special tokens and sizes of CLIP.
const (
	Start    int32 = 49406 // <|startoftext|>, the first id of every prompt
	End      int32 = 49407 // <|endoftext|>, the last; SD1 also pads with it
	VocabLen       = 49408 // ids below this are CLIP's own; added words follow
	Length         = 77    // ids the text encoder takes, Start and End included
	Room           = Length - 2
)

// Tokenizer encodes prompts. It may be used from several goroutines as long as none calls AddWord.
type Tokenizer struct {
	vocab *vocabulary
	words map[string][]int32 // normalised placeholder word -> its ids
	next  int32              // the id of the next added vector
}

// CLIP returns a tokenizer without added words. The vocabulary is unpacked once, at the first call, and shared; words
// added to the result stay in it.
func CLIP() *Tokenizer {
	return &Tokenizer{vocab: clipVocabulary(), next: VocabLen}
}

// Reserve leaves the ids below n to a text encoder whose embedding has more rows than CLIP's; words added from now on
// follow.
func (t *Tokenizer) Reserve(n int) { t.next = max(t.next, int32(n)) }

// Clone returns a copy with the same added words; words added to the copy do not reach t.
func (t *Tokenizer) Clone() *Tokenizer {
	c := *t
	c.words = maps.Clone(t.words)
	return &c
}

// Encode returns the ids of text without Start and End, and without a limit on their number. Any bytes are allowed:
// invalid UTF-8 counts as U+FFFD. The literal <|startoftext|> and <|endoftext|>, in lower case, give their ids.
func (t *Tokenizer) Encode(text string) []int32 {
	ids := []int32{}
	for text != "" {
		before, id, rest := cutSpecial(text)
		ids = t.encodeWords(ids, normalise(before))
		if id != 0 {
			ids = append(ids, id)
		}
		text = rest
	}
	return ids
}

// Count is the number of ids Encode returns; a prompt has room for 75 of them (Room).
func (t *Tokenizer) Count(text string) int { return len(t.Encode(text)) }

// Padded returns the 77 ids that a text encoder takes: Start, at most 75 ids of text, End, then pad, which is End for
// SD1 and SDXL's first encoder, 0 for SD2 and SDXL's second. What does not fit is cut off, as diffusers does; End
// stays. (Encoding longer prompts in chunks, as A1111 does, is not implemented.)
func (t *Tokenizer) Padded(text string, pad int32) []int32 {
	ids := t.Encode(text)
	out := make([]int32, 0, Length)
	out = append(out, Start)
	out = append(out, ids[:min(len(ids), Room)]...)
	out = append(out, End)
	for len(out) < Length {
		out = append(out, pad)
	}
	return out
}

// encodeWords appends the ids of normalised text, with added words expanded.
func (t *Tokenizer) encodeWords(ids []int32, text string) []int32 {
	for text != "" {
		start, end, added := t.findWord(text)
		ids = t.vocab.encode(ids, text[:start])
		ids = append(ids, added...)
		text = text[end:]
	}
	return ids
}

// cutSpecial splits text at the first special token; id is 0 where there is none.
func cutSpecial(text string) (before string, id int32, rest string) {
	for i := range len(text) {
		if !strings.HasPrefix(text[i:], "<|") {
			continue
		}
		if rest, ok := strings.CutPrefix(text[i:], startText); ok {
			return text[:i], Start, rest
		}
		if rest, ok := strings.CutPrefix(text[i:], endText); ok {
			return text[:i], End, rest
		}
	}
	return text, 0, ""
}
