package local

import (
	"fmt"
	"os"
	"path/filepath"

	"easel/engine"
	"easel/engine/builtin"
	"easel/engine/caption"
	"easel/engine/kernel"
	"easel/engine/model/blip"
)

// captioner is an opened captioner and what is known of it.
type captioner struct {
	*caption.Captioner
	model   *blip.Model
	name    string // a path, or "builtin"
	dtype   kernel.DType
	doubted bool // it is small, and is asked whether it knows what it sees
}

// openCaptioner opens what a request names, or finds one.
func (l *local) openCaptioner(req engine.CaptionRequest) (*captioner, error) {
	c := &captioner{name: req.Model}
	var err error
	switch req.Model {
	case "":
		err = c.find()
	case builtinName:
		c.model, err = blip.Load(builtin.Captioner())
	default:
		c.model, err = blip.Open(req.Model)
	}
	if err != nil {
		return nil, err
	}
	c.doubted = c.name == builtinName
	if c.dtype, err = l.captionerType(req.DType, c.model.Vision.ImageSize); err == nil {
		c.model.Store(c.dtype)
		c.Captioner, err = caption.New(c.model, l.backend, c.dtype, c.settings(req))
	}
	if err != nil {
		c.model.Close()
		return nil, err
	}
	return c, nil
}

// find opens the first captioner of other programs that can be used, or the built-in one.
func (c *captioner) find() (err error) {
	for _, path := range captioners() {
		if c.model, err = blip.Open(path); err == nil {
			c.name = path
			return nil
		}
	}
	c.name = builtinName
	c.model, err = blip.Load(builtin.Captioner())
	return err
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
	c.Captioner.Close()
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
	v := c.model.Vision
	return fmt.Sprintf("%s: looks at %d px in %d layers, knows %d word pieces; computes in %v", c.name, v.ImageSize, v.Layers, c.model.Words.Len(), c.dtype)
}
