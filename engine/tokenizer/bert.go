package tokenizer

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"sync"
)

//go:embed bert_uncased_vocab.txt.gz
var packedBERT []byte

var bertVocabulary = sync.OnceValue(func() *WordPiece {
	w, err := readBERT()
	if err != nil {
		panic(err) // the embedded file is part of the program; a test reads it
	}
	return w
})

// BERT is the vocabulary of bert-base-uncased, 30522 word pieces, which BLIP has too: for weights that come without one.
func BERT() *WordPiece { return bertVocabulary() }

func readBERT() (*WordPiece, error) {
	z, err := gzip.NewReader(bytes.NewReader(packedBERT))
	if err != nil {
		return nil, err
	}
	vocab, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	return ParseWordPiece(vocab)
}
