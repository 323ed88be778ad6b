package hypernetwork

import (
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
)

// generator is the weight generator at work.
type generator struct {
	model.Unchanged
	method.Steady
	settings map[string]string
	text     bool
	rank     int
	down, up int // numbers of a layer's down and up for each rank: the sizes of the bases, or of the widest layer
	network  *network
	slots    []*slot
	byName   map[string]*slot

	graph   *graph.Graph // at hand
	emitted *graph.Node  // all layers' numbers in it
}

// slot is one inserted layer: y = W·x + up·down·x.
type slot struct {
	name     string // kohya's
	number   int
	in, out  int
	a, b     int            // of the numbers for down and up, how many count
	down, up *kernel.Tensor // bases [a, in] and [out, b]; nil where the numbers are the layers
	weight   *kernel.Tensor // the frozen one beside it
}

func newGenerator(layers []model.Layer, seed uint64, small bool, s *method.Settings) (*generator, error) {
	t := &generator{byName: map[string]*slot{}, text: s.Text("text-encoder") == "on" || small && s.Text("text-encoder") == "auto"}
	t.settings = record(s, generatorKind)
	t.rank = s.Int("rank", 1, 1, 64)
	embedding, hidden := s.Int("embedding", 32, 1, 1024), s.Int("hidden", 80, 1, 4096)
	t.slots = slotsOf(layers, t.text)
	if err := t.chooseSizes(s); err != nil {
		return nil, err
	}
	for i, p := range t.slots {
		p.number, t.byName[p.name] = i, p
		p.a, p.b = min(t.down, p.in), min(t.up, p.out)
	}
	if s.Text("basis") != "none" {
		makeBases(t.slots, seed)
	}
	t.network = newNetwork(seed, len(t.slots), embedding, hidden, t.rank*t.down, t.rank*t.up, t.down)
	return t, nil
}

// chooseSizes reads the sizes of the bases.
func (t *generator) chooseSizes(s *method.Settings) error {
	basis := s.Text("basis")
	if basis == "none" {
		for _, p := range t.slots {
			t.down, t.up = max(t.down, p.in), max(t.up, p.out)
		}
		return s.Err
	}
	sizes, err := numbers(basis)
	if err != nil || len(sizes) != 2 || sizes[0] != float64(int(sizes[0])) || sizes[1] != float64(int(sizes[1])) || min(sizes[0], sizes[1]) < 1 || max(sizes[0], sizes[1]) > 4096 {
		s.Fail("basis must be two whole numbers such as 100,50, or none, not %q", basis)
		return s.Err
	}
	t.down, t.up = int(sizes[0]), int(sizes[1])
	if t.rank > min(t.down, t.up) {
		s.Fail("a rank of %d does not fit bases of %d and %d: choose larger ones, or a lower rank", t.rank, t.down, t.up)
	}
	return s.Err
}

// slotsOf are the attention projections of the UNet, and behind them those of the text encoder, in the order of their use.
func slotsOf(layers []model.Layer, text bool) []*slot {
	var slots []*slot
	add := func(part model.Part, attention ...string) {
		for _, l := range layers {
			if l.Part == part && slices.ContainsFunc(attention, func(a string) bool { return strings.Contains(l.Module, a) }) {
				slots = append(slots, &slot{name: kohyaName(l), in: l.Shape[1], out: l.Shape[0], weight: l.Weight})
			}
		}
	}
	add(model.UNet, ".attn1.", ".attn2.")
	if text {
		add(model.Text, ".self_attn.")
	}
	return slots
}

func kohyaName(l model.Layer) string {
	if l.Part == model.Text {
		return format.KohyaName("lora_te_", l.Module)
	}
	return format.KohyaName("lora_unet_", l.Module)
}

// After implements model.Adapter.
func (t *generator) After(g *graph.Graph, l model.Layer, x, y *graph.Node) *graph.Node {
	p := t.byName[kohyaName(l)]
	if p == nil {
		return y
	}
	down, up := t.pair(g, p)
	return g.Add(y, g.Linear(g.Linear(x, down, nil, 1), up, nil, 1))
}

// pair is a layer's down [rank, in] and up [out, rank], taken from what the network outputs.
func (t *generator) pair(g *graph.Graph, p *slot) (down, up *graph.Node) {
	g.Exact(func() *graph.Node {
		all := t.all(g)
		from := p.number * t.rank * (t.down + t.up)
		down = g.Part(all, from, t.rank, p.a)
		if p.down == nil {
			up = g.Part(all, from+t.rank*t.down, p.out, t.rank)
			return up
		}
		down = g.Product(down, constant(g, "basis/"+p.name+".down", p.down))
		up = g.Product(constant(g, "basis/"+p.name+".up", p.up), g.Part(all, from+t.rank*t.down, p.b, t.rank))
		return up
	})
	return down, up
}

// all is the network's output, once for a graph.
func (t *generator) all(g *graph.Graph) *graph.Node {
	if t.graph != g {
		t.graph, t.emitted = g, t.network.build(g)
	}
	return t.emitted
}

func constant(g *graph.Graph, name string, t *kernel.Tensor) *graph.Node {
	if n := g.Leaf(name); n != nil {
		return n
	}
	return g.Constant(name, t)
}

// parameter is the leaf of a trained tensor; a tensor that is used twice in a graph has one.
func parameter(g *graph.Graph, name string, t *kernel.Tensor) *graph.Node {
	if n := g.Leaf(name); n != nil {
		return n
	}
	return g.Parameter(name, t)
}

// Settings implements method.Tuning.
func (t *generator) Settings() map[string]string { return t.settings }

// TrainsText implements method.Tuning.
func (t *generator) TrainsText() bool { return t.text }

// Parameters implements method.Tuning.
func (t *generator) Parameters() []method.Parameter { return t.network.parameters() }

// modules are the layers as generated now, in kohya's form.
func (t *generator) modules() []format.LoRAModule {
	rows := t.network.evaluate()
	var modules []format.LoRAModule
	for _, p := range t.slots {
		row := rows[p.number]
		down, up := row[:t.rank*p.a], row[t.rank*t.down:][:t.rank*p.b]
		if p.down != nil {
			down = multiply(down, p.down.F32(), t.rank, p.a, p.in)
			up = multiply(p.up.F32(), up, p.out, p.b, t.rank)
		}
		modules = append(modules, format.LoRAModule{Name: p.name, Down: kernel.FromF32(down, t.rank, p.in), Up: kernel.FromF32(up, p.out, t.rank), Alpha: float32(t.rank)})
	}
	return modules
}

// WeightChange implements method.Tuning.
func (t *generator) WeightChange() float64 {
	modules := t.modules()
	var change, all float64
	for i, p := range t.slots {
		change += normSquared(modules[i])
		all += squares(p.weight.Floats())
		p.weight.LetGo()
	}
	return ratio(change, all)
}

// Forms implements method.Chooser.
func (t *generator) Forms() []engine.FileForm { return []engine.FileForm{loraForm} }

// Export implements method.Tuning: a LoRA of the layers as generated now.
func (t *generator) Export(path, _ string, about method.About, dtype kernel.DType) error {
	return format.WriteLoRA(path, t.modules(), about.LoRAMeta(), dtype)
}
