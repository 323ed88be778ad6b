package model

import (
	"cmp"
	"io/fs"
	"path/filepath"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/tokenizer"
)

// Model is a text-to-image model: the configurations of its three networks and where their weights are.
type Model struct {
	UNet      UNetConfig
	Text      TextConfig
	VAE       VAEConfig
	Scheduler []byte // scheduler_config.json
	// Prediction is what the UNet predicts, "epsilon" or "v", where that was recognised or chosen; empty where the
	// scheduler says it.
	Prediction string

	folder  *format.Folder       // from which the model comes, or
	file    *format.Checkpoint   // from this; New's comes from neither
	numbers int64                // in the files of all three networks
	words   *tokenizer.Tokenizer // with the words added to this model; nil before one is asked for
	weights map[Part]Weights
	stored  map[Part]*stored // what graphs read, made of weights
	close   func() error
}

// Load reads a diffusers folder: os.DirFS of a user's folder, or an embedded one. Weights stay in their files
// until a network is built.
func Load(fsys fs.FS) (*Model, error) {
	folder, err := format.OpenFolder(fsys)
	if err != nil {
		return nil, err
	}
	m := &Model{folder: folder, weights: map[Part]Weights{}, close: folder.Close}
	if err := m.read(folder); err != nil {
		folder.Close()
		return nil, err
	}
	return m, nil
}

func (m *Model) read(folder *format.Folder) (err error) {
	if !folder.Has(string(UNet)) {
		return engine.Errorf("load model", folder.Path(), engine.Unsupported, "this is a %s; %s", cmp.Or(folder.Class(), "pipeline without a UNet"), format.Trains)
	}
	config := map[Part][]byte{}
	for _, part := range []Part{UNet, Text, VAE} {
		c, err := folder.Component(string(part))
		if err != nil {
			return err
		}
		config[part] = c.Config
		m.weights[part] = fileWeights{c.Weights, map[string]*kernel.Tensor{}}
		m.count(c.Weights)
	}
	if err := m.parse(folder.Path(), func(part Part) ([]byte, error) { return config[part], nil }); err != nil {
		return err
	}
	if m.Scheduler, err = folder.Scheduler(); err != nil {
		return err
	}
	return m.check()
}

// parse reads the config files of the folder dir.
func (m *Model) parse(dir string, config func(Part) ([]byte, error)) error {
	for _, part := range []Part{UNet, Text, VAE} {
		text, err := config(part)
		if err == nil {
			switch part {
			case UNet:
				m.UNet, err = ParseUNetConfig(text)
			case Text:
				m.Text, err = ParseTextConfig(text)
			case VAE:
				m.VAE, err = ParseVAEConfig(text)
			}
		}
		if err != nil {
			return engine.InFile(filepath.Join(dir, string(part), "config.json"), err)
		}
	}
	return nil
}

// check refuses parts that do not belong together.
func (m *Model) check() error {
	switch {
	case m.Prediction != "" && m.Prediction != "epsilon" && m.Prediction != "v":
		return engine.Errorf("load model", "", engine.BadInput, "the prediction cannot be %q; choose epsilon or v", m.Prediction)
	case m.Text.HiddenSize != m.UNet.CrossAttentionDim:
		return engine.Errorf("load model", "", engine.BadFile, "the text encoder is %d wide, but the UNet expects a context of %d", m.Text.HiddenSize, m.UNet.CrossAttentionDim)
	case m.VAE.LatentChannels != m.UNet.OutChannels:
		return engine.Errorf("load model", "", engine.BadFile, "the VAE has %d latent channels, but the UNet predicts %d", m.VAE.LatentChannels, m.UNet.OutChannels)
	case m.UNet.InChannels != m.UNet.OutChannels:
		return engine.Errorf("load model", "", engine.Unsupported, "the UNet takes %d channels, as inpainting models do; %s", m.UNet.InChannels, format.Trains)
	}
	return nil
}

// New is a model over any source of weights, such as Random.
func New(unet UNetConfig, text TextConfig, vae VAEConfig, scheduler []byte, weights Weights) *Model {
	return &Model{UNet: unet, Text: text, VAE: vae, Scheduler: scheduler,
		weights: map[Part]Weights{UNet: weights, Text: weights, VAE: weights}, close: func() error { return nil }}
}

// Close closes the files. Frozen weights that were not packed yet are lost.
func (m *Model) Close() error { return m.close() }

// Resolution is the side in pixels of the pictures that the model was trained on.
func (m *Model) Resolution() int { return m.UNet.SampleSize * m.VAE.Factor() }

// BuildUNet adds the UNet: x [batch, h, w, in], t [batch], context [batch, tokens, cross_attention_dim] to its
// prediction [batch, h, w, out]. adapter may be nil.
func (m *Model) BuildUNet(g *graph.Graph, adapter Adapter, x, t, context *graph.Node) *graph.Node {
	return m.UNet.build(m.net(g, UNet, adapter), x, t, context)
}

// BuildText adds the text encoder: ids [batch, tokens] to the context [batch, tokens, width]. skip is the "clip
// skip" of A1111: 1 uses all layers.
func (m *Model) BuildText(g *graph.Graph, adapter Adapter, ids *graph.Node, skip int) *graph.Node {
	return m.Text.build(m.net(g, Text, adapter), ids, skip)
}

// BuildEncoder adds the VAE's encoder: image [batch, height, width, 3] in [-1, 1] to moments [batch, h, w,
// 2·latents], mean then log variance.
func (m *Model) BuildEncoder(g *graph.Graph, image *graph.Node) *graph.Node {
	return m.VAE.encode(m.net(g, VAE, nil), image)
}

// BuildDecoder adds the VAE's decoder: z [batch, h, w, latents], divided by the scaling factor, to an image
// [batch, height, width, 3].
func (m *Model) BuildDecoder(g *graph.Graph, z *graph.Node) *graph.Node {
	return m.VAE.decode(m.net(g, VAE, nil), z)
}

func (m *Model) net(g *graph.Graph, part Part, adapter Adapter) *net {
	if adapter == nil {
		adapter = Unchanged{}
	}
	return &net{Graph: g, part: part, weights: m.store(part), adapter: adapter}
}
