package model

import (
	"fmt"

	"easel/engine/graph"
)

// BuildFeatures adds the UNet as its file has it, whatever is trained in its place, up to the last but one block of its way up: x [batch, h, w, in], t [batch],
// context [batch, tokens, cross_attention_dim] to what the block hands on, its upsampler included: [batch, h, w,
// channels] where there are two levels or more. Alike parts of pictures have alike features there, whatever their place
// (DIFT; Tang et al., arXiv 2306.03881).
func (m *Model) BuildFeatures(g *graph.Graph, x, t, context *graph.Node) *graph.Node {
	b := m.net(g, UNet, m.Untrained())
	block := fmt.Sprintf("up_blocks.%d", max(len(m.UNet.BlockOutChannels)-2, 0))
	var features *graph.Node
	b.trace = func(name string, n *graph.Node) {
		if name == block {
			features = n
		}
	}
	m.UNet.build(b, x, t, context)
	return features
}
