package caption

import (
	"context"
	"fmt"

	"easel/engine"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model/blip"
)

// eye computes what the decoder needs of a picture.
type eye struct {
	vm     *graph.VM
	image  *graph.Node
	layers []blip.Layer
}

func newEye(m *blip.Model, b kernel.Backend, dt kernel.DType) (*eye, error) {
	g := graph.New()
	e := &eye{image: g.Input("image", 1, m.Vision.ImageSize, m.Vision.ImageSize, 3)}
	e.layers = m.BuildContext(g, m.BuildVision(g, e.image))
	var outputs []*graph.Node
	for _, l := range e.layers {
		outputs = append(outputs, l.ImageKeys, l.ImageValues)
	}
	var err error
	e.vm, err = graph.Compile(g, b, outputs, graph.Options{DType: dt})
	return e, err
}

// look runs the vision transformer. Keys and values stay where they are until the next look.
func (e *eye) look(ctx context.Context, image *kernel.Tensor) error {
	if err := e.vm.Let(e.image, image); err != nil {
		return err
	}
	return e.vm.Run(ctx)
}

// hand writes texts about the picture that the eye saw last. It implements writer.
type hand struct {
	m        *blip.Model
	backend  kernel.Backend
	dtype    kernel.DType
	eye      *eye
	capacity int // tokens of a text
	steps    map[[2]int]*step
	caches   []*kernel.Tensor // keys and values of each layer, [texts, capacity, width]
	spare    []*kernel.Tensor // in which they are sorted anew
	at       int              // tokens in them
}

// step is the decoder for a number of texts and of tokens for each.
type step struct {
	vm             *graph.VM
	ids, positions *graph.Node
	layers         []blip.Layer
	logits         *graph.Node
}

func newHand(m *blip.Model, b kernel.Backend, dt kernel.DType, e *eye, texts, capacity int) *hand {
	h := &hand{m: m, backend: b, dtype: dt, eye: e, capacity: capacity, steps: map[[2]int]*step{}}
	for range 2 * m.Text.Layers {
		h.caches = append(h.caches, kernel.New(dt, texts, capacity, m.Text.HiddenSize))
		h.spare = append(h.spare, kernel.New(dt, texts, capacity, m.Text.HiddenSize))
	}
	return h
}

// begin forgets the texts so far.
func (h *hand) begin() { h.at = 0 }

// first is the first n texts of a cache.
func first(t *kernel.Tensor, n int) *kernel.Tensor {
	return &kernel.Tensor{Shape: append([]int{n}, t.Shape[1:]...), DType: t.DType, Data: t.Data[:n*t.Len()/t.Shape[0]*t.DType.Size()]}
}

func (h *hand) step(texts, tokens int) (*step, error) {
	key := [2]int{texts, tokens}
	if s := h.steps[key]; s != nil {
		return s, nil
	}
	g := graph.New()
	s := &step{ids: g.Indices("ids", 1, texts*tokens), positions: g.Indices("positions", 1, texts*tokens)}
	for i := range h.m.Text.Layers {
		input := func(name string, shape ...int) *graph.Node { return g.Input(fmt.Sprintf("%s %d", name, i), shape...) }
		image := h.eye.layers[i].ImageKeys.Shape()
		s.layers = append(s.layers, blip.Layer{
			ImageKeys: input("image keys", image...), ImageValues: input("image values", image...),
			Keys: input("keys", texts, h.capacity, h.m.Text.HiddenSize), Values: input("values", texts, h.capacity, h.m.Text.HiddenSize),
		})
	}
	s.logits = h.m.BuildDecoder(g, s.ids, s.positions, s.layers)
	var err error
	if s.vm, err = graph.Compile(g, h.backend, []*graph.Node{s.logits}, graph.Options{DType: h.dtype}); err != nil {
		return nil, err
	}
	h.steps[key] = s
	return s, nil
}

// next implements writer.
func (h *hand) next(ctx context.Context, parents []int, tokens [][]int32) ([][]float32, error) {
	texts, n := len(tokens), len(tokens[0])
	if h.at+n > h.capacity {
		return nil, engine.Errorf("write caption", "", engine.Internal, "%d tokens are more than the %d there is room for", h.at+n, h.capacity)
	}
	if h.at > 0 {
		h.follow(parents)
	}
	s, err := h.step(texts, n)
	if err != nil {
		return nil, err
	}
	if err := h.let(s, texts, tokens); err != nil {
		return nil, err
	}
	if err := s.vm.Run(ctx); err != nil {
		return nil, err
	}
	h.at += n
	all, vocab := s.vm.Value(s.logits).Floats(), h.m.Text.VocabSize
	logits := make([][]float32, texts)
	for i := range logits {
		logits[i] = all[((i+1)*n-1)*vocab : (i+1)*n*vocab] // of the last token
	}
	return logits, nil
}

// follow gives each text the cache of the one that it continues.
func (h *hand) follow(parents []int) {
	moved := false
	for i, p := range parents {
		moved = moved || i != p
	}
	if !moved {
		return
	}
	for k, from := range h.caches {
		to := h.spare[k]
		size := len(from.Data) / from.Shape[0]
		used := h.at * from.Channels() * from.DType.Size()
		for i, p := range parents {
			copy(to.Data[i*size:i*size+used], from.Data[p*size:p*size+used])
		}
	}
	h.caches, h.spare = h.spare, h.caches
}

func (h *hand) let(s *step, texts int, tokens [][]int32) error {
	ids, positions := kernel.New(kernel.I32, 1, texts*len(tokens[0])), kernel.New(kernel.I32, 1, texts*len(tokens[0]))
	for i, ts := range tokens {
		for j, id := range ts {
			ids.I32()[i*len(ts)+j], positions.I32()[i*len(ts)+j] = id, int32(h.at+j)
		}
	}
	values := map[*graph.Node]*kernel.Tensor{s.ids: ids, s.positions: positions}
	for i, l := range s.layers {
		values[l.ImageKeys], values[l.ImageValues] = h.eye.vm.Value(h.eye.layers[i].ImageKeys), h.eye.vm.Value(h.eye.layers[i].ImageValues)
		values[l.Keys], values[l.Values] = first(h.caches[2*i], texts), first(h.caches[2*i+1], texts)
	}
	for n, t := range values {
		if err := s.vm.Let(n, t); err != nil {
			return err
		}
	}
	return nil
}

func (h *hand) close() {
	for _, s := range h.steps {
		s.vm.Close()
	}
}
