package hypernetwork

import (
	"fmt"
	"slices"
	"strconv"
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

// sizes are what a generator's settings choose by the size of the model.
type sizes struct {
	rank  int
	basis []float64 // of down and up; nil where layers are generated whole
	text  bool
}

// chooseSizes reads them. A small model's layers are narrow, so that bases would leave out most of them, and it knows few
// words well.
func chooseSizes(s *method.Settings, small bool) sizes {
	usual := sizes{rank: 1, basis: []float64{100, 50}}
	if small {
		usual = sizes{rank: 8, text: true}
	}
	c := sizes{rank: s.Int("rank", usual.rank, 1, 64), basis: usual.basis, text: usual.text}
	if text := s.Text("text-encoder"); text != "auto" {
		c.text = text == "on"
	}
	switch basis := s.Text("basis"); basis {
	case "":
	case "none":
		c.basis = nil
	default:
		var err error
		c.basis, err = numbers(basis)
		if err != nil || len(c.basis) != 2 || !isSize(c.basis[0]) || !isSize(c.basis[1]) {
			s.Fail("basis must be two whole numbers such as 100,50, or none, not %q", basis)
			return c
		}
	}
	if c.basis != nil && float64(c.rank) > min(c.basis[0], c.basis[1]) {
		s.Fail("a rank of %d does not fit bases of %g and %g: choose larger ones, or a lower rank", c.rank, c.basis[0], c.basis[1])
	}
	return c
}

// record are the settings with what was chosen.
func (c sizes) record(s *method.Settings) map[string]string {
	r := record(s, generatorKind)
	r["rank"], r["basis"], r["text-encoder"] = strconv.Itoa(c.rank), "none", map[bool]string{true: "on", false: "off"}[c.text]
	if c.basis != nil {
		r["basis"] = fmt.Sprintf("%g,%g", c.basis[0], c.basis[1])
	}
	return r
}

func isSize(v float64) bool { return v == float64(int(v)) && v >= 1 && v <= 4096 }

func newGenerator(layers []model.Layer, seed uint64, c sizes, s *method.Settings) (*generator, error) {
	embedding, hidden := s.Int("embedding", 32, 1, 1024), s.Int("hidden", 80, 1, 4096)
	if s.Err != nil {
		return nil, s.Err
	}
	t := &generator{settings: c.record(s), text: c.text, rank: c.rank, slots: slotsOf(layers, c.text), byName: map[string]*slot{}}
	if c.basis != nil {
		t.down, t.up = int(c.basis[0]), int(c.basis[1])
	} else {
		for _, p := range t.slots {
			t.down, t.up = max(t.down, p.in), max(t.up, p.out)
		}
	}
	for i, p := range t.slots {
		p.number, t.byName[p.name] = i, p
		p.a, p.b = min(t.down, p.in), min(t.up, p.out)
	}
	if c.basis != nil {
		makeBases(t.slots, seed)
	}
	t.network = newNetwork(seed, len(t.slots), embedding, hidden, t.rank*t.down, t.rank*t.up, t.down)
	return t, nil
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
