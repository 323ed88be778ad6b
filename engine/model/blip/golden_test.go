package blip

import (
	"fmt"
	"testing"

	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/onednn"
	"easel/engine/kernel/ref"
	"easel/engine/model/vit"
)

func backends(t *testing.T) map[string]kernel.Backend {
	t.Helper()
	all := map[string]kernel.Backend{"ref": ref.New()}
	if onednn.Available() {
		b, err := onednn.New(onednn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		all["onednn"] = b
	}
	return all
}

// goldenModel is the tiny captioner.
func goldenModel(t *testing.T) *Model {
	t.Helper()
	m, err := Open(golden.Path(t, "blip"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// graphs runs a model's networks and remembers what their layers gave.
type graphs struct {
	t       *testing.T
	m       *Model
	backend kernel.Backend
	seen    map[string]*kernel.Tensor
}

func (r *graphs) net() (*vit.Net, map[string]*graph.Node) {
	nodes := map[string]*graph.Node{}
	b := r.m.net(graph.New())
	b.Trace = func(name string, n *graph.Node) { nodes[name] = n }
	return b, nodes
}

// run compiles the outputs and keeps copies of the traced nodes' values.
func (r *graphs) run(b *vit.Net, in map[*graph.Node]*kernel.Tensor, nodes map[string]*graph.Node) {
	r.t.Helper()
	var outputs []*graph.Node
	for _, n := range nodes {
		outputs = append(outputs, n)
	}
	vm, err := graph.Compile(b.Graph, r.backend, outputs, graph.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	defer vm.Close()
	for n, t := range in {
		if err := vm.Let(n, t); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := vm.RunAll(); err != nil {
		r.t.Fatal(err)
	}
	for name, n := range nodes {
		r.seen[name] = vm.Value(n).Clone()
	}
}

func (r *graphs) vision(image *kernel.Tensor) {
	r.t.Helper()
	b, nodes := r.net()
	x := b.Input("image", image.Shape...)
	layers := r.m.Text.context(b, r.m.Vision.Build(b, x), r.m.Vision.HiddenSize)
	for i, l := range layers {
		nodes[fmt.Sprintf("keys %d", i)], nodes[fmt.Sprintf("values %d", i)] = l.ImageKeys, l.ImageValues
	}
	r.run(b, map[*graph.Node]*kernel.Tensor{x: image}, nodes)
}

// decode feeds the tokens of texts that are written at a time, n of each, behind at others.
func (r *graphs) decode(caches []*kernel.Tensor, texts, n, at int, ids []int) {
	r.t.Helper()
	b, nodes := r.net()
	in := map[*graph.Node]*kernel.Tensor{}
	input := func(name string, t *kernel.Tensor) *graph.Node {
		node := b.Input(name, t.Shape...)
		in[node] = t
		return node
	}
	tokens, positions := kernel.New(kernel.I32, 1, texts*n), kernel.New(kernel.I32, 1, texts*n)
	for i, id := range ids {
		tokens.I32()[i], positions.I32()[i] = int32(id), int32(at+i%n)
	}
	var layers []Layer
	for i := range r.m.Text.Layers {
		layers = append(layers, Layer{
			ImageKeys:   input(fmt.Sprintf("image keys %d", i), r.seen[fmt.Sprintf("keys %d", i)]),
			ImageValues: input(fmt.Sprintf("image values %d", i), r.seen[fmt.Sprintf("values %d", i)]),
			Keys:        input(fmt.Sprintf("keys %d", i), caches[2*i]),
			Values:      input(fmt.Sprintf("values %d", i), caches[2*i+1]),
		})
	}
	idsIn, positionsIn := b.Indices("ids", 1, texts*n), b.Indices("positions", 1, texts*n)
	in[idsIn], in[positionsIn] = tokens, positions
	nodes["logits"] = r.m.Text.decoder(b, idsIn, positionsIn, layers)
	r.run(b, in, nodes)
}

func (r *graphs) caches(texts int) []*kernel.Tensor {
	var all []*kernel.Tensor
	for range 2 * r.m.Text.Layers {
		all = append(all, kernel.New(kernel.F32, texts, 8, r.m.Text.HiddenSize))
	}
	return all
}

// part is one picture's share of a golden tensor.
func part(f *golden.File, name string, picture, pictures int) *kernel.Tensor {
	return format.Ref{Index: picture, Of: pictures}.Rows(f.Tensor(name))
}

func TestGolden(t *testing.T) {
	f := golden.Open(t, "blip/blip.safetensors")
	m := goldenModel(t)
	forced := f.Ints("in/input_ids")
	const pictures, tokens = 2, 6
	for name, backend := range backends(t) {
		t.Run(name, func(t *testing.T) {
			got := map[string][]float32{}
			for p := range pictures {
				r := &graphs{t: t, m: m, backend: backend, seen: map[string]*kernel.Tensor{}}
				r.vision(channelsLast(part(f, "in/pixel_values", p, pictures)))
				r.decode(r.caches(1), 1, tokens, 0, forced[p*tokens:(p+1)*tokens])
				for name, of := range map[string]string{"vision/first_block": "vision_model.encoder.layers.0", "vision/last_hidden_state": "vision",
					"text/embeddings": "embeddings", "text/layer_0": "text_decoder.bert.encoder.layer.0", "text/last_hidden_state": "text"} {
					got[name] = append(got[name], r.seen[of].F32()...)
				}
				logits := r.seen["logits"].F32()
				vocab := m.Text.VocabSize
				for i := range tokens {
					got["text/logits_first_64"] = append(got["text/logits_first_64"], logits[i*vocab:i*vocab+64]...)
				}
				got["text/logits_last"] = append(got["text/logits_last"], logits[(tokens-1)*vocab:]...)
			}
			for name, values := range got {
				f.Check(t, "", name, values)
			}
		})
	}
}

// TestCachedEqualsWhole: tokens one at a time, of several texts at once, give what all of one text at a time give.
func TestCachedEqualsWhole(t *testing.T) {
	f := golden.Open(t, "blip/blip.safetensors")
	m := goldenModel(t)
	r := &graphs{t: t, m: m, backend: ref.New(), seen: map[string]*kernel.Tensor{}}
	r.vision(channelsLast(part(f, "in/pixel_values", 0, 2)))
	forced := f.Ints("in/input_ids")
	const tokens, texts = 6, 2
	caches := r.caches(texts)
	vocab := m.Text.VocabSize
	for i := range tokens {
		r.decode(caches, texts, 1, i, []int{forced[i], forced[tokens+i]})
		first := append([]float32(nil), r.seen["logits"].F32()[:64]...)
		want := f.Tensor("text/logits_first_64").F32()[64*i : 64*(i+1)]
		for j := range first {
			if d := first[j] - want[j]; d > 1e-4 || d < -1e-4 {
				t.Fatalf("token %d: logit %d is %g, want %g", i, j, first[j], want[j])
			}
		}
	}
	second := append([]float32(nil), r.seen["logits"].F32()[vocab:]...)
	r.decode(r.caches(1), 1, tokens, 0, forced[tokens:])
	whole := r.seen["logits"].F32()[(tokens-1)*vocab:]
	for j := range second {
		if d := second[j] - whole[j]; d > 1e-4 || d < -1e-4 {
			t.Fatalf("second text: logit %d is %g, want %g", j, second[j], whole[j])
		}
	}
}

// channelsLast turns [1, c, h, w] into [1, h, w, c].
func channelsLast(t *kernel.Tensor) *kernel.Tensor {
	c, h, w := t.Shape[1], t.Shape[2], t.Shape[3]
	out := kernel.New(kernel.F32, 1, h, w, c)
	for i, v := range t.F32() {
		out.F32()[i%(h*w)*c+i/(h*w)] = v
	}
	return out
}
