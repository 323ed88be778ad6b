package tokenizer

import (
	"strings"
	"unicode/utf8"

	"easel/engine"
)

// What a vocabulary file may have at most: BERT's has 30522 lines of 231 kB.
const (
	maxVocabulary = 8 << 20 // bytes
	maxTokens     = 1 << 20
)

// longestWord is the number of code points above which WordPiece takes a word for unknown.
const longestWord = 100

const (
	unknownToken = "[UNK]"
	continued    = "##" // begins a piece that goes on a word
)

// WordPiece encodes text as BERT does: lower-cased, without accents, split at white space and punctuation, each word in
// the longest pieces that the vocabulary has. The ids are those of transformers' BertTokenizer, except that special
// tokens such as [MASK] have no meaning within a text.
type WordPiece struct {
	tokens []string
	ids    map[string]int32
}

// ParseWordPiece reads a vocab.txt: a token a line, whose id is the number of lines before it. Error: BadFile.
func ParseWordPiece(vocab []byte) (*WordPiece, error) {
	const op = "read vocabulary"
	if len(vocab) > maxVocabulary || !utf8.Valid(vocab) {
		return nil, engine.Errorf(op, "", engine.BadFile, "this is no list of word pieces")
	}
	text := strings.TrimSuffix(strings.ReplaceAll(string(vocab), "\r\n", "\n"), "\n")
	w := &WordPiece{tokens: strings.Split(text, "\n"), ids: map[string]int32{}}
	if len(w.tokens) > maxTokens {
		return nil, engine.Errorf(op, "", engine.BadFile, "%d word pieces are more than any vocabulary has", len(w.tokens))
	}
	for id, token := range w.tokens {
		w.ids[token] = int32(id) // of two the last counts, as in transformers
	}
	if _, ok := w.ids[unknownToken]; !ok {
		return nil, engine.Errorf(op, "", engine.BadFile, "the list of word pieces has no %s", unknownToken)
	}
	return w, nil
}

// Len is the number of tokens.
func (w *WordPiece) Len() int { return len(w.tokens) }

// ID is the id of a token as the vocabulary writes it, such as "[SEP]".
func (w *WordPiece) ID(token string) (id int32, ok bool) {
	id, ok = w.ids[token]
	return id, ok
}

// Encode returns the ids of text, without special tokens around it. Any bytes are allowed.
func (w *WordPiece) Encode(text string) []int32 {
	ids := []int32{}
	for _, word := range bertWords(text) {
		ids = w.word(ids, word)
	}
	return ids
}

// word appends the pieces of one word, or the unknown token where they do not cover it.
func (w *WordPiece) word(ids []int32, word string) []int32 {
	before := len(ids)
	unknown := append(ids[:before:before], w.ids[unknownToken])
	if utf8.RuneCountInString(word) > longestWord {
		return unknown
	}
	prefix := ""
	for word != "" {
		n := len(word)
		for n > 0 {
			if id, ok := w.ids[prefix+word[:n]]; ok {
				ids = append(ids, id)
				break
			}
			_, last := utf8.DecodeLastRuneInString(word[:n])
			n -= last
		}
		if n == 0 {
			return unknown
		}
		word, prefix = word[n:], continued
	}
	return ids
}

// Decode joins the tokens of ids to a text: pieces glued together, special tokens and ids outside the vocabulary left
// out, and no space before punctuation and within contractions, as transformers cleans up.
func (w *WordPiece) Decode(ids []int32) string {
	var b strings.Builder
	for _, id := range ids {
		if id < 0 || int(id) >= len(w.tokens) || special(w.tokens[id]) {
			continue
		}
		piece, glued := strings.CutPrefix(w.tokens[id], continued)
		if b.Len() > 0 && !glued {
			b.WriteByte(' ')
		}
		b.WriteString(piece)
	}
	return strings.TrimSpace(cleanUp(b.String()))
}

// special tells tokens such as [PAD] and [unused7].
func special(token string) bool {
	return len(token) > 2 && token[0] == '[' && token[len(token)-1] == ']'
}

// cleanUp applies one replacement after the other (transformers' clean_up_tokenization).
func cleanUp(text string) string {
	for _, pair := range [...][2]string{{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"}, {" 'm", "'m"},
		{" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}} {
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	return text
}
