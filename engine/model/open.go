package model

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/kernel"
)

// Options say what a model's file does not, or not rightly. The zero value takes everything from it.
type Options struct {
	VAE        string // file with a VAE to use in place of the model's own
	Prediction string // "epsilon" or "v": what the UNet predicts; empty decides by the file

	// Configs is a folder in diffusers form whose config files count for a single file, in place of those of the
	// published models. Only models of other sizes than theirs need it.
	Configs fs.FS
}

// Open opens the model at path: a folder in diffusers form, or a checkpoint of Stable Diffusion 1 or 2 in one file.
// Errors: NotFound, BadFile, and Unsupported where path holds something else, with a sentence that names it.
func Open(path string, o Options) (*Model, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, engine.Errorf("open model", path, engine.NotFound, "there is no such file or folder")
	}
	if !info.IsDir() {
		return openFile(path, o)
	}
	m, err := Load(os.DirFS(path))
	if engine.KindOf(err) == engine.NotFound {
		if info, unknown := format.Inspect(path); unknown == nil && info.Kind != format.KindUnknown && info.Kind != format.KindFolder {
			err = engine.Errorf("open model", path, engine.Unsupported, "this is %s; %s", info.What(), format.Trains)
		}
	}
	if err != nil {
		return nil, engine.InFile(path, err)
	}
	if err := m.Use(o); err != nil {
		m.Close()
		return nil, engine.InFile(path, err)
	}
	return m, nil
}

// Use replaces what o names in a model from a folder. A VAE must be of the shape of the model's own. Errors: BadInput
// for an unknown prediction, those of format.OpenVAE, and BadFile for a VAE of another shape.
func (m *Model) Use(o Options) error {
	if o.Prediction != "" {
		m.Prediction = o.Prediction
	}
	if o.VAE != "" {
		if err := m.useVAE(o.VAE); err != nil {
			return err
		}
	}
	return m.check()
}

// openFile opens a single file. Its VAE may be missing where o names one.
func openFile(path string, o Options) (*Model, error) {
	c, err := format.OpenCheckpoint(path)
	if err != nil {
		return nil, err
	}
	m := &Model{file: c, weights: map[Part]Weights{}, close: c.Close}
	if err := m.fromCheckpoint(c, o); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

func (m *Model) fromCheckpoint(c *format.Checkpoint, o Options) error {
	source := map[Part]format.Source{}
	for _, part := range []Part{UNet, Text, VAE} {
		from := c
		if part == VAE && o.VAE != "" {
			var err error
			if from, err = format.OpenVAE(o.VAE); err != nil {
				return err
			}
			m.alsoClose(from.Close)
		}
		s, err := from.Component(string(part))
		if part == VAE && err != nil {
			return engine.Errorf("open checkpoint", c.Path(), engine.Unsupported, "the file holds no VAE; name a VAE's file beside it (--vae)")
		} else if err != nil {
			return err
		}
		source[part] = s
		m.weights[part] = fileWeights{s, map[string]*kernel.Tensor{}}
		m.count(s)
	}
	if m.Prediction = o.Prediction; m.Prediction == "" {
		m.Prediction = predictionOf(c, source[UNet])
	}
	m.Scheduler = fmt.Appendf(nil, scheduler, c.Has("ztsnr"))
	if err := m.configure(source, o.Configs); err != nil {
		return engine.InFile(c.Path(), err)
	}
	return engine.InFile(c.Path(), m.check())
}

// configure takes the configurations from the folder that is given, or from the tensors' shapes.
func (m *Model) configure(source map[Part]format.Source, configs fs.FS) (err error) {
	if configs != nil {
		return m.parse("", func(part Part) ([]byte, error) { return fs.ReadFile(configs, path.Join(string(part), "config.json")) })
	}
	if m.UNet, err = unetOf(source[UNet], m.Prediction == "v"); err != nil {
		return err
	}
	if m.Text, err = textOf(source[Text]); err != nil {
		return err
	}
	m.VAE = vaeOf(source[VAE])
	return m.VAE.check()
}

// useVAE takes the VAE from a file. Its configuration stays the model's own, since a file has none.
func (m *Model) useVAE(path string) error {
	c, err := format.OpenVAE(path)
	if err != nil {
		return err
	}
	m.alsoClose(c.Close)
	s, err := c.Component(string(VAE))
	if err != nil {
		return err
	}
	if have := vaeOf(s); !slices.Equal(have.BlockOutChannels, m.VAE.BlockOutChannels) || have.LatentChannels != m.VAE.LatentChannels {
		return engine.Errorf("open VAE", path, engine.BadFile, "its widths are %v with %d latent channels, the model's %v with %d",
			have.BlockOutChannels, have.LatentChannels, m.VAE.BlockOutChannels, m.VAE.LatentChannels)
	}
	m.weights[VAE] = fileWeights{s, map[string]*kernel.Tensor{}}
	return nil
}

// alsoClose lets Close close another file.
func (m *Model) alsoClose(more func() error) {
	first := m.close
	m.close = func() error { return errors.Join(first(), more()) }
}
