package model

import "easel/engine/graph"

// Layers lists the linear layers and convolutions of the text encoder and the UNet as an Adapter sees them, each once.
// Their weights stay in their files.
func (m *Model) Layers() ([]Layer, error) {
	g := graph.New()
	side := m.step()
	x, t := g.Input("x", 1, side, side, m.UNet.InChannels), g.Input("t", 1)
	var l lister
	m.BuildUNet(g, &l, x, t, m.BuildText(g, &l, g.Indices("ids", 1, m.Text.MaxPositions), 1))
	return l.layers, g.Err()
}

// step is a size of latents that every level of the UNet can halve.
func (m *Model) step() int { return 1 << (len(m.UNet.BlockOutChannels) - 1) }

// lister is an Adapter that changes nothing and remembers what it saw.
type lister struct {
	Unchanged
	layers []Layer
}

// After implements Adapter.
func (ls *lister) After(_ *graph.Graph, l Layer, _, y *graph.Node) *graph.Node {
	ls.layers = append(ls.layers, l)
	return y
}
