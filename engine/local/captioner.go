package local

import (
	"context"
	"fmt"
	"image"
	"os"
	"path/filepath"

	"easel/engine"
	"easel/engine/builtin"
	"easel/engine/caption"
	"easel/engine/format"
	"easel/engine/kernel"
	"easel/engine/model/blip"
	"easel/engine/model/tagger"
	"easel/engine/model/vit"
)

// captioner is an opened captioner or tagger and what is known of it.
type captioner struct {
	describer
	model interface {
		Store(kernel.DType)
		Close() error
	}
	vision  vit.Config
	words   string // what it knows, for people
	name    string // a path, or "builtin"
	dtype   kernel.DType
	doubted bool // it is small, and is asked whether it knows what it sees
	tags    bool // it says tags in place of a sentence
}

// describer is a caption.Captioner or a caption.Tagger.
type describer interface {
	Describe(ctx context.Context, img *image.NRGBA) (caption.Sentence, error)
	Close()
}

// openCaptioner opens what a request names, or finds one.
func (l *local) openCaptioner(req engine.CaptionRequest) (*captioner, error) {
	c := &captioner{name: req.Model}
	var sentences *blip.Model
	var tags *tagger.Model
	var err error
	switch req.Model {
	case "":
		sentences, c.name, err = findBLIP()
	case builtinName:
		sentences, err = blip.Load(builtin.Captioner())
	default:
		sentences, tags, err = openDescriber(req.Model)
	}
	if err != nil {
		return nil, err
	}
	if c.tags = tags != nil; c.tags {
		c.model, c.vision, c.words = tags, tags.Vision, fmt.Sprintf("%d tags", len(tags.Tags))
	} else {
		c.model, c.vision, c.words = sentences, sentences.Vision, fmt.Sprintf("%d word pieces", sentences.Words.Len())
	}
	c.doubted = c.name == builtinName
	if c.dtype, err = l.captionerType(req.DType, c.vision.ImageSize); err == nil {
		c.model.Store(c.dtype)
		if c.tags {
			c.describer, err = caption.NewTagger(tags, l.backend, c.dtype)
		} else {
			c.describer, err = caption.New(sentences, l.backend, c.dtype, c.settings(req))
		}
	}
	if err != nil {
		c.model.Close()
		return nil, err
	}
	return c, nil
}

// openDescriber opens one of the two.
func openDescriber(path string) (sentences *blip.Model, tags *tagger.Model, err error) {
	files, err := format.OpenCaptionerAt(path)
	switch {
	case err != nil:
	case files.Kind == format.KindTagger:
		tags, err = tagger.From(files)
	default:
		sentences, err = blip.From(files)
	}
	return sentences, tags, err
}

// findBLIP opens the first BLIP of other programs that can be used, or the built-in captioner.
func findBLIP() (m *blip.Model, name string, err error) {
	for _, path := range captioners() {
		if m, err = blip.Open(path); err == nil {
			return m, path, nil
		}
	}
	m, err = blip.Load(builtin.Captioner())
	return m, builtinName, err
}

func (c *captioner) settings(req engine.CaptionRequest) caption.Settings {
	s := caption.Usual()
	if c.doubted { // its sentences are short, and greedy ones are as good
		s.Beams, s.MinLength = 1, 0
	}
	if req.Beams > 0 {
		s.Beams = req.Beams
	}
	return s
}

// captionerType is activations for a captioner.
func (l *local) captionerType(dtype string, side int) (kernel.DType, error) {
	switch {
	case dtype == "f32", (dtype == "" || dtype == "auto") && (!l.device.BF16 || side < 256):
		return kernel.F32, nil
	case dtype == "bf16", dtype == "" || dtype == "auto":
		return kernel.BF16, nil
	}
	return 0, engine.Errorf("choose precision", "", engine.BadInput, "dtype cannot be %q; choose auto, f32 or bf16", dtype)
}

func (c *captioner) close() {
	c.describer.Close()
	c.model.Close()
}

// captionerPlaces are where A1111, its forks, ComfyUI and transformers keep BLIP, below the home folder; the base model
// first, which is the faster one.
var captionerPlaces = []string{
	".cache/huggingface/hub/models--Salesforce--blip-image-captioning-base/snapshots/*",
	"*/models/[Bb][Ll][Ii][Pp]/*base*", "*/*/models/[Bb][Ll][Ii][Pp]/*base*",
	".cache/huggingface/hub/models--Salesforce--blip-image-captioning-large/snapshots/*",
	"*/models/[Bb][Ll][Ii][Pp]/*", "*/*/models/[Bb][Ll][Ii][Pp]/*",
}

func captioners() []string { return inHome(captionerPlaces) }

// inHome lists what there is of patterns below the home folder.
func inHome(patterns []string) []string {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	var paths []string
	for _, pattern := range patterns {
		found, _ := filepath.Glob(filepath.Join(home, filepath.FromSlash(pattern))) // the patterns are well-formed
		paths = append(paths, found...)
	}
	return paths
}

// about is a line about the captioner.
func (c *captioner) about() string {
	return fmt.Sprintf("%s: looks at %d px in %d layers, knows %s; computes in %v", c.name, c.vision.ImageSize, c.vision.Layers, c.words, c.dtype)
}
