package blip

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
	"easel/engine/tokenizer"
)

const opOpen = "open captioner"

// Open opens the captioner at path: a folder of transformers, or a file of weights as transformers or Salesforce stores
// them. A file's config.json, preprocessor_config.json and vocab.txt lie beside it; where there is no config.json the
// tensors' shapes tell the sizes, and where there is no vocab.txt it is BERT's.
//
// Errors: NotFound, where a vocabulary of another size is missing too, BadFile, Unsupported.
func Open(path string) (*Model, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, engine.Errorf(opOpen, path, engine.NotFound, "there is no such file or folder")
	}
	var files *format.Captioner
	if info.IsDir() {
		files, err = format.OpenCaptioner(os.DirFS(path))
	} else {
		files, err = format.OpenCaptionerFile(os.DirFS(filepath.Dir(path)), filepath.Base(path))
	}
	if err != nil {
		return nil, err
	}
	return load(files, path)
}

// Load opens a folder of transformers, such as an embedded one.
func Load(fsys fs.FS) (*Model, error) {
	files, err := format.OpenCaptioner(fsys)
	if err != nil {
		return nil, err
	}
	return load(files, "")
}

func load(files *format.Captioner, path string) (m *Model, err error) {
	m = &Model{weights: &fileWeights{source: files, have: map[string]*kernel.Tensor{}}, close: files.Close}
	if m.Config, err = config(files); err == nil {
		err = m.readPreprocessor(files)
	}
	if err == nil {
		m.Words, err = words(files, m.Text)
	}
	if err != nil {
		files.Close()
		return nil, inFile(path, err)
	}
	return m, nil
}

// inFile names the file or folder in an error that names none.
func inFile(path string, err error) error {
	var e *engine.Error
	if errors.As(err, &e) && e.Path == "" {
		e.Path = path
	}
	return err
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

// headWidth is that of all published models.
const headWidth = 64

// configOf reads the sizes from the tensors' shapes. The rest is what published models have.
func configOf(s format.Source) (Config, error) {
	c := baseConfig()
	v, t := &c.Vision, &c.Text
	v.HiddenSize, v.PatchSize = dim(s, "vision_model.embeddings.class_embedding", 2), dim(s, "vision_model.embeddings.patch_embedding.weight", 2)
	v.IntermediateSize, v.Layers = dim(s, "vision_model.encoder.layers.0.mlp.fc1.weight", 0), format.Count(s, "vision_model.encoder.layers.%d.layer_norm1.weight")
	patches := dim(s, "vision_model.embeddings.position_embedding", 1) - 1
	v.ImageSize = int(math.Sqrt(float64(max(patches, 0)))) * v.PatchSize
	t.VocabSize, t.HiddenSize = dim(s, "text_decoder.bert.embeddings.word_embeddings.weight", 0), dim(s, "text_decoder.bert.embeddings.word_embeddings.weight", 1)
	t.MaxPositions = dim(s, "text_decoder.bert.embeddings.position_embeddings.weight", 0)
	t.IntermediateSize, t.Layers = dim(s, "text_decoder.bert.encoder.layer.0.intermediate.dense.weight", 0), format.Count(s, "text_decoder.bert.encoder.layer.%d.output.dense.weight")
	if v.HiddenSize%headWidth != 0 || t.HiddenSize != baseWidth {
		return c, engine.Errorf(opOpen, "", engine.Unsupported, "the captioner is %d and %d wide, and a single file does not tell its heads; put its config.json beside it", v.HiddenSize, t.HiddenSize)
	}
	v.Heads = v.HiddenSize / headWidth
	return c, c.check()
}

// dim is a dimension of a tensor; 0 where there is none.
func dim(s format.Source, name string, axis int) int {
	if _, shape, ok := s.Info(name); ok && axis < len(shape) {
		return shape[axis]
	}
	return 0
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
		return nil, engine.Errorf(opOpen, "", engine.NotFound, "the list of its %d words is missing: put its vocab.txt into %s", c.VocabSize, cmp.Or(files.Dir(), "its folder"))
	}
	return nil, engine.Errorf(opOpen, "", engine.BadFile, "vocab.txt has %d word pieces, the captioner %d", w.Len(), c.VocabSize)
}
