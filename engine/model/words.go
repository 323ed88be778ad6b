package model

import (
	"easel/engine"
	"easel/engine/kernel"
	"easel/engine/tokenizer"
)

// wordTable is the tensor of the text encoder that holds a vector for each token.
const wordTable = "text_model.embeddings.token_embedding.weight"

// AddWord makes word stand for n new vectors in prompts, and returns the first of their ids, which follow each other. The
// vectors are an Adapter's to give; without one they are zero. A word that was added before with as many keeps its ids.
// Errors of kind BadInput are tokenizer.AddWord's.
func (m *Model) AddWord(word string, n int) (first int, err error) {
	ids := m.tokenizer().Added(word)
	if len(ids) == 0 || len(ids) != n {
		if ids, err = m.tokenizer().AddWord(word, n); err != nil {
			return 0, err
		}
	}
	return int(ids[0]), nil
}

// WordVectors are the text encoder's vectors of text, one for each token: F32 [tokens, width]. Those of an Outline are
// zero. A text with an added word is an error of kind BadInput.
func (m *Model) WordVectors(text string) (*kernel.Tensor, error) {
	table, err := m.store(Text).Tensor(wordTable, m.Text.VocabSize, m.Text.HiddenSize)
	if err != nil {
		return nil, err
	}
	ids, width := m.tokenizer().Encode(text), m.Text.HiddenSize
	vectors := kernel.New(kernel.F32, len(ids), width)
	for i, id := range ids {
		if int(id) >= m.Text.VocabSize {
			return nil, engine.Errorf("look up words", "", engine.BadInput, "%q holds a word that the text encoder does not know yet", text)
		}
		if len(table.Data) > 0 {
			part(table, int(id)*width, width).ReadF32(vectors.F32()[i*width:][:width])
		}
	}
	return vectors, nil
}

func (m *Model) tokenizer() *tokenizer.Tokenizer {
	if m.words == nil {
		m.words = tokenizer.CLIP()
		m.words.Reserve(m.Text.VocabSize)
	}
	return m.words
}
