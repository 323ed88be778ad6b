// Package blip builds BLIP's captioner (Li et al., arXiv 2201.12086) as graphs: a vision transformer, whose states a
// BERT decoder attends to while it writes a sentence. It reads the folders of transformers and the files of Salesforce.
package blip

import (
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model"
	"easel/engine/model/vit"
	"easel/engine/tokenizer"
)

// Model is a captioner: its configuration, its vocabulary and where its weights are.
type Model struct {
	Config
	Words     *tokenizer.WordPiece
	Mean, Std [3]float32 // of the pictures' channels, 0 to 1

	weights model.Weights
	close   func() error
}

// clipMean and clipStd are those of CLIP's and BLIP's pictures.
var (
	clipMean = [3]float32{0.48145466, 0.4578275, 0.40821073}
	clipStd  = [3]float32{0.26862954, 0.26130258, 0.27577711}
)

// New is a model over any source of weights, such as model.Random.
func New(c Config, words *tokenizer.WordPiece, weights model.Weights) *Model {
	return &Model{Config: c, Words: words, Mean: clipMean, Std: clipStd, weights: weights, close: func() error { return nil }}
}

// Base is BLIP base.
func Base() Config { return baseConfig() }

// Store keeps the matrices of networks that are built from now on as dt, where that is smaller than in the file.
func (m *Model) Store(dt kernel.DType) {
	if w, ok := m.weights.(*vit.FileWeights); ok {
		w.Store(dt)
	}
}

// Close closes the files; no graph of the model may run afterwards.
func (m *Model) Close() error { return m.close() }

// BuildVision adds the vision transformer: image [1, side, side, 3], normalised by Mean and Std, to states [1, tokens,
// width].
func (m *Model) BuildVision(g *graph.Graph, image *graph.Node) *graph.Node {
	return m.Vision.Build(m.net(g), image)
}

// BuildContext adds what the text decoder needs of a picture's states, once a picture.
func (m *Model) BuildContext(g *graph.Graph, states *graph.Node) []Layer {
	return m.Text.context(m.net(g), states, m.Vision.HiddenSize)
}

// BuildDecoder adds the text decoder: ids and positions, int32 [1, s·n], of the n newest tokens of s captions, to logits
// [1, s·n, vocabulary].
func (m *Model) BuildDecoder(g *graph.Graph, ids, positions *graph.Node, layers []Layer) *graph.Node {
	return m.Text.decoder(m.net(g), ids, positions, layers)
}

func (m *Model) net(g *graph.Graph) *vit.Net { return &vit.Net{Graph: g, Weights: m.weights} }
