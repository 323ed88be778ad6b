// Package tagger builds SmilingWolf's WD tagger v3, ViT, as a graph: a vision transformer (timm's) and, over the mean of
// what it makes of a picture's patches, a score for each of a list of Danbooru tags.
package tagger

import (
	"encoding/json"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model/vit"
)

const opOpen = "open tagger"

// Model is a tagger: its configuration, its tags and where its weights are.
type Model struct {
	Vision    vit.Config
	Tags      []Tag
	Mean, Std [3]float32 // of the pictures' channels, 0 to 1

	weights *vit.FileWeights
	close   func() error
}

// published is what shapes do not tell of the published tagger (its config.json).
var published = vit.Config{HiddenAct: "gelu_tanh", LayerNormEps: 1e-6, Patches: true}

// From makes a tagger of opened files, which are closed with it, or at an error. Beside the weights lie selected_tags.csv
// and perhaps config.json.
//
// Errors: NotFound, where the list of tags is missing, BadFile, Unsupported.
func From(files *format.Captioner) (m *Model, err error) {
	m = &Model{weights: vit.NewWeights(files, nil), close: files.Close, Mean: [3]float32{0.5, 0.5, 0.5}, Std: [3]float32{0.5, 0.5, 0.5}}
	if files.Kind != format.KindTagger {
		err = engine.Errorf(opOpen, "", engine.Unsupported, "this is no WD tagger but a %s", files.Kind)
	}
	if err == nil {
		err = m.configure(files)
	}
	if err == nil {
		m.Tags, err = tags(files)
	}
	if err != nil {
		files.Close()
		return nil, engine.InFile(files.Path(), err)
	}
	return m, nil
}

// configure takes the sizes from the tensors' shapes, and the activation from timm's config.json where there is one.
func (m *Model) configure(files *format.Captioner) error {
	text, err := files.Read("config.json")
	if err != nil {
		return err
	}
	c := published
	if text != nil {
		var timm struct {
			Args struct {
				Activation string `json:"act_layer"`
			} `json:"model_args"`
		}
		timm.Args.Activation = c.HiddenAct
		if err := json.Unmarshal(text, &timm); err != nil {
			return engine.Errorf(opOpen, "", engine.BadFile, "config.json: %w", err)
		}
		c.HiddenAct = timm.Args.Activation
	}
	m.Vision, err = vit.Of(files, c)
	return err
}

// tags reads the list beside the weights, which has a tag for each of their scores.
func tags(files *format.Captioner) ([]Tag, error) {
	text, err := files.Read(format.TagsFile)
	if err != nil {
		return nil, err
	}
	if text == nil {
		return nil, files.Missing("the list of its tags", format.TagsFile)
	}
	tags, err := ParseTags(text)
	if n := vit.Dim(files, "head.weight", 0); err == nil && len(tags) != n {
		return nil, engine.Errorf(opOpen, "", engine.BadFile, "%s has %d tags and the tagger %d scores; take the list that was published with it", format.TagsFile, len(tags), n)
	}
	return tags, err
}

// Store keeps the matrices of networks that are built from now on as dt, where that is smaller than in the file.
func (m *Model) Store(dt kernel.DType) { m.weights.Store(dt) }

// Close closes the files; no graph of the model may run afterwards.
func (m *Model) Close() error { return m.close() }

// Build adds the tagger: image [1, side, side, 3], normalised by Mean and Std, its channels blue, green, red, to logits
// [1, 1, tags].
func (m *Model) Build(g *graph.Graph, image *graph.Node) *graph.Node {
	return m.build(&vit.Net{Graph: g, Weights: m.weights}, image)
}

func (m *Model) build(b *vit.Net, image *graph.Node) *graph.Node {
	w := m.Vision.HiddenSize
	states := m.Vision.Build(b, image)
	// A query of zeros attends to all patches alike: what it finds is their mean.
	mean := b.Attention(b.Constant("nothing asked", kernel.New(kernel.F32, 1, 1, w)), states, states, m.Vision.Heads, false)
	return b.Exact(func() *graph.Node { return b.Dense("head", mean, w, len(m.Tags)) })
}
