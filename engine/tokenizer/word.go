package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"easel/engine"
)

// AddWord makes word a placeholder for n new vectors of the text encoder's embedding, as Textual Inversion trains
// them, and returns their ids: 49408 and on, or from where Reserve said. In a prompt the word then gives these n ids in place of its own tokens.
// It is found in any case, between word borders (so that "cat" is not found in "catalogue"); of several words that
// begin at the same place the longest counts.
//
// A word that is already one token, was added before, is empty or holds white space or a special token, and a number
// of vectors outside 1 to 75, are BadInput errors.
func (t *Tokenizer) AddWord(word string, n int) ([]int32, error) {
	name := normalise(strings.TrimSpace(word))
	if reason := t.refusal(name, n); reason != "" {
		return nil, engine.Errorf("add word", "", engine.BadInput, "%q with %d vectors: %s", word, n, reason)
	}
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = t.next + int32(i)
	}
	t.next += int32(n)
	if t.words == nil {
		t.words = map[string][]int32{}
	}
	t.words[name] = ids
	return append([]int32(nil), ids...), nil
}

// Added are the ids of a word that AddWord has added; nil for any other.
func (t *Tokenizer) Added(word string) []int32 {
	return append([]int32(nil), t.words[normalise(strings.TrimSpace(word))]...)
}

// refusal says why a normalised word cannot be added, "" if it can.
func (t *Tokenizer) refusal(name string, n int) string {
	switch _, added := t.words[name]; {
	case name == "":
		return "the word is empty"
	case strings.Contains(name, " "):
		return "a word holds no spaces; join its parts with a hyphen"
	case strings.Contains(name, startText) || strings.Contains(name, endText):
		return "the word holds one of the text encoder's own marks"
	case added:
		return "this word has been added before"
	case len(t.vocab.encode(nil, name)) == 1:
		return "the text encoder already knows this word; choose one of your own, such as " + name + "-easel"
	case n < 1 || n > Room:
		return "a word has 1 to 75 vectors, because a prompt has room for 75"
	}
	return ""
}

// findWord finds the first added word in normalised text, the longest where several begin there. Without one, start
// and end are the length of text.
func (t *Tokenizer) findWord(text string) (start, end int, ids []int32) {
	start, end = len(text), len(text)
	for word, wordIDs := range t.words {
		at := IndexWord(text, word)
		if at < 0 || at > start || at == start && len(word) < end-start {
			continue
		}
		start, end, ids = at, at+len(word), wordIDs
	}
	return start, end, ids
}

// IndexWord is the index of the first occurrence of word in text that no letter, digit or mark continues on the side
// of a letter, digit or mark of the word; -1 if there is none.
func IndexWord(text, word string) int {
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return -1
		}
		i += from
		if border(text[:i], word) && border(word, text[i+len(word):]) {
			return i
		}
		_, n := utf8.DecodeRuneInString(text[i:])
		from = i + n
	}
}

// border reports whether left and right, which touch, are different words.
func border(left, right string) bool {
	l, _ := utf8.DecodeLastRuneInString(left)
	r, _ := utf8.DecodeRuneInString(right)
	return left == "" || right == "" || !inWord(l) || !inWord(r)
}

func inWord(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.M) }
