package blip

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/model/vit"
	"easel/engine/tokenizer"
)

const opOpen = "open captioner"

// Open opens the captioner at path: a folder of transformers, or a file of weights as transformers or Salesforce stores
// them. A file's config.json, preprocessor_config.json and vocab.txt lie beside it; where there is no config.json the
// tensors' shapes tell the sizes, and where there is no vocab.txt it is BERT's.
//
// Errors: NotFound, where a vocabulary of another size is missing too, BadFile, Unsupported.
func Open(path string) (*Model, error) {
	files, err := format.OpenCaptionerAt(path)
	if err != nil {
		return nil, err
	}
	return From(files)
}

// Load opens a folder of transformers, such as an embedded one.
func Load(fsys fs.FS) (*Model, error) {
	files, err := format.OpenCaptioner(fsys)
	if err != nil {
		return nil, err
	}
	return From(files)
}

// tied are names that newer versions of transformers leave out, and those under which they store the same numbers.
var tied = map[string]string{
	"text_decoder.cls.predictions.decoder.weight": "text_decoder.bert.embeddings.word_embeddings.weight",
	"text_decoder.cls.predictions.decoder.bias":   "text_decoder.cls.predictions.bias",
}

// From makes a captioner of opened files, which are closed with it, or at an error.
func From(files *format.Captioner) (m *Model, err error) {
	m = &Model{weights: vit.NewWeights(files, tied), close: files.Close}
	if files.Kind != format.KindCaptioner {
		err = engine.Errorf(opOpen, "", engine.Unsupported, "this is no BLIP captioner but a %s", files.Kind)
	}
	if err == nil {
		m.Config, err = config(files)
	}
	if err == nil {
		err = m.readPreprocessor(files)
	}
	if err == nil {
		m.Words, err = words(files, m.Text)
	}
	if err != nil {
		files.Close()
		return nil, engine.InFile(files.Path(), err)
	}
	return m, nil
}

// config takes the configuration from config.json, or from the tensors' shapes.
func config(files *format.Captioner) (Config, error) {
	text, err := files.Read("config.json")
	if err != nil {
		return Config{}, err
	}
	if text != nil {
		return ParseConfig(text)
	}
	return configOf(files)
}

// configOf reads the sizes from the tensors' shapes. The rest is what published models have.
func configOf(s format.Source) (c Config, err error) {
	c = baseConfig()
	if c.Vision, err = vit.Of(s, c.Vision); err != nil {
		return c, err
	}
	t := &c.Text
	t.VocabSize, t.HiddenSize = vit.Dim(s, "text_decoder.bert.embeddings.word_embeddings.weight", 0), vit.Dim(s, "text_decoder.bert.embeddings.word_embeddings.weight", 1)
	t.MaxPositions = vit.Dim(s, "text_decoder.bert.embeddings.position_embeddings.weight", 0)
	t.IntermediateSize, t.Layers = vit.Dim(s, "text_decoder.bert.encoder.layer.0.intermediate.dense.weight", 0), format.Count(s, "text_decoder.bert.encoder.layer.%d.output.dense.weight")
	if t.HiddenSize != baseWidth {
		return c, engine.Errorf(opOpen, "", engine.Unsupported, "the text decoder is %d wide, and a single file does not tell its heads; put its config.json beside it", t.HiddenSize)
	}
	return c, c.check()
}

// readPreprocessor takes the pictures' mean and deviation from preprocessor_config.json, where there is one.
func (m *Model) readPreprocessor(files *format.Captioner) error {
	m.Mean, m.Std = clipMean, clipStd
	text, err := files.Read("preprocessor_config.json")
	if text == nil || err != nil {
		return err
	}
	var p struct {
		Mean []float32 `json:"image_mean"`
		Std  []float32 `json:"image_std"`
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return engine.Errorf(opOpen, "", engine.BadFile, "preprocessor_config.json: %w", err)
	}
	if len(p.Mean) == 3 && len(p.Std) == 3 && slices.Min(p.Std) > 0 {
		m.Mean, m.Std = [3]float32(p.Mean), [3]float32(p.Std)
	}
	return nil
}

// begins are the tokens that BLIP adds to BERT's vocabulary: vocab.txt ends before them.
const begins = 2

// words reads the vocabulary: vocab.txt beside the weights, or else BERT's.
func words(files *format.Captioner, c TextConfig) (*tokenizer.WordPiece, error) {
	text, err := files.Read("vocab.txt")
	if err != nil {
		return nil, err
	}
	w := tokenizer.BERT()
	if text != nil {
		if w, err = tokenizer.ParseWordPiece(text); err != nil {
			return nil, err
		}
	}
	if n := w.Len(); n <= c.VocabSize && n >= c.VocabSize-begins {
		return w, nil
	}
	if text == nil {
		return nil, files.Missing(fmt.Sprintf("the list of its %d words", c.VocabSize), "vocab.txt")
	}
	return nil, engine.Errorf(opOpen, "", engine.BadFile, "vocab.txt has %d word pieces, the captioner %d", w.Len(), c.VocabSize)
}
