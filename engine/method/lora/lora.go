// Package lora inserts small low-rank layers beside the frozen ones and trains only those: y = W·x +
// alpha/rank · up·down·x (Hu et al., arXiv 2106.09685; convolutions as in LyCORIS' LoCon). Names, shapes and initial
// values are kohya's (sd-scripts networks/lora.py), so that the exported file loads everywhere.
package lora

import (
	"hash/fnv"
	"math"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
)

func init() { method.Register(lora{}) }

type lora struct{}

// Info implements method.Method.
func (lora) Info() engine.MethodInfo {
	return engine.MethodInfo{
		Name:    "lora",
		Title:   "LoRA",
		Updates: "small low-rank layers inserted beside the model's own, which stay frozen",
		Element: engine.InsertedLayers,
		Good:    "learns most subjects and styles well, in a small file that can be combined with others",
		Harm:    "at too many steps it holds pictures fast instead of the subject",
		Files:   []engine.FileForm{{Name: "kohya", Ending: ".safetensors", Title: "LoRA for A1111, ComfyUI and diffusers"}},
		Settings: []engine.Setting{
			{Name: "rank", Default: "16", Help: "inner width of the inserted layers, 1 to 512"},
			{Name: "alpha", Help: "strength: layers count alpha/rank; empty means rank"},
			{Name: "conv-rank", Help: "rank beside 3x3 convolutions, with targets all; empty means rank"},
			{Name: "conv-alpha", Help: "alpha beside 3x3 convolutions; empty means conv-rank"},
			{Name: "targets", Default: "auto", Choices: []string{"auto", "attention", "attention+ff", "all"},
				Help: "layers that get one: attention, attention with feed-forward and projections, or all with convolutions; auto is all for models below 256 px, else attention+ff"},
			{Name: "text-encoder", Default: "auto", Choices: []string{"auto", "off", "on"},
				Help: "train layers in the text encoder too; auto does for models below 256 px"},
		},
	}
}

// Start implements method.Method.
func (l lora) Start(m *model.Model, job engine.Job) (method.Tuning, error) {
	t := &tuning{model: m, seed: job.Seed, layers: map[string]*layer{}, from: &file{}}
	given := job.Settings
	var err error
	if job.From != "" {
		if t.from, err = read(m, job.From); err != nil {
			return nil, err
		}
		if given, err = t.from.complete(given); err != nil {
			return nil, err
		}
	}
	t.settings = method.ReadSettings(l.Info(), given)
	if err := t.read(t.settings); err != nil {
		return nil, err
	}
	return t, t.check()
}

// read takes the settings over.
func (t *tuning) read(s *method.Settings) error {
	t.targets, t.text = s.Text("targets"), s.Text("text-encoder")
	rank := s.Int("rank", 16, 1, 512)
	t.plain = size{rank, float32(s.Float("alpha", float64(rank), 1e6))}
	convRank := s.Int("conv-rank", rank, 1, 512)
	t.spatial = size{convRank, float32(s.Float("conv-alpha", float64(convRank), 1e6))}
	// A small model has its looks in its convolutions, and few words it knows well.
	small := t.model.Resolution() < 256
	choose(&t.targets, small, "all", "attention+ff")
	choose(&t.text, small, "on", "off")
	return s.Err
}

// choose replaces "auto".
func choose(setting *string, small bool, forSmall, usual string) {
	if *setting != "auto" {
		return
	}
	*setting = usual
	if small {
		*setting = forSmall
	}
}

// size is how large the layers of one kind are.
type size struct {
	rank  int
	alpha float32
}

// layer is one inserted pair.
type layer struct {
	module   string // kohya's name
	down, up *kernel.Tensor
	alpha    float32
	weight   *kernel.Tensor // the frozen one beside it
}

func (l *layer) scale() float32 { return l.alpha / float32(l.down.Shape[0]) }

// tuning implements method.Tuning.
type tuning struct {
	model.Unchanged
	method.Steady
	model          *model.Model
	settings       *method.Settings
	from           *file // whose values training begins with; without modules where there is none
	seed           uint64
	targets, text  string
	plain, spatial size
	layers         map[string]*layer
	order          []*layer
}

// After implements model.Adapter.
func (t *tuning) After(g *graph.Graph, l model.Layer, x, y *graph.Node) *graph.Node {
	if !t.wants(l) {
		return y
	}
	p := t.layer(l)
	down := parameter(g, p.module+".lora_down.weight", p.down)
	up := parameter(g, p.module+".lora_up.weight", p.up)
	return insert(g, l, x, y, down, up, p.scale())
}

// insert adds the low-rank layer to y.
func insert(g *graph.Graph, l model.Layer, x, y, down, up *graph.Node, scale float32) *graph.Node {
	var h *graph.Node
	if spatial(l.Shape) {
		h = g.Conv2D(x, down, nil, l.Conv)
	} else {
		h = g.Linear(x, down, nil, 1)
	}
	return g.Add(y, g.Linear(h, up, nil, scale))
}

func spatial(shape []int) bool { return len(shape) == 4 && shape[2]*shape[3] > 1 }

// parameter is the leaf of a trained tensor; a layer that is used twice in a graph has one.
func parameter(g *graph.Graph, name string, t *kernel.Tensor) *graph.Node {
	if n := g.Leaf(name); n != nil {
		return n
	}
	return g.Parameter(name, t)
}

// layer returns the pair beside l, made at first sight: with the values of the file that training begins with, else down
// random and up zero, so that nothing changes at step 0.
func (t *tuning) layer(l model.Layer) *layer {
	name := kohyaName(l)
	if p := t.layers[name]; p != nil {
		return p
	}
	s := t.plain
	if spatial(l.Shape) {
		s = t.spatial
	}
	m, begun := t.from.modules[name]
	if begun {
		s = size{m.Rank(), m.Alpha}
	}
	up := append([]int{l.Shape[0], s.rank}, l.Shape[2:]...)
	for i := range up[2:] { // convolutions, 1x1 too, keep four dimensions
		up[2+i] = 1
	}
	p := &layer{module: name, weight: l.Weight, alpha: s.alpha,
		down: kernel.New(kernel.F32, append([]int{s.rank}, l.Shape[1:]...)...), up: kernel.New(kernel.F32, up...)}
	if begun {
		copy(p.down.F32(), m.Down.F32())
		copy(p.up.F32(), m.Up.F32())
	} else {
		t.initialise(p)
	}
	t.layers[name] = p
	t.order = append(t.order, p)
	return p
}

// initialise draws down from kaiming_uniform(√5): uniform within ±1/√fan_in. It depends on the name, not on the
// order in which layers are met.
func (t *tuning) initialise(p *layer) {
	h := fnv.New64a()
	h.Write([]byte(p.module))
	bound := 1 / math.Sqrt(float64(kernel.Len(p.down.Shape[1:])))
	stream := int(h.Sum64() >> 1)
	for i, d := 0, p.down.F32(); i < len(d); i++ {
		d[i] = float32((2*rng.Float64(t.seed, stream, rng.Init, uint64(i)) - 1) * bound)
	}
}

// Settings implements method.Tuning.
func (t *tuning) Settings() map[string]string { return t.settings.All() }

// TrainsText implements method.Tuning.
func (t *tuning) TrainsText() bool { return t.text == "on" }

// Parameters implements method.Tuning.
func (t *tuning) Parameters() []method.Parameter {
	var ps []method.Parameter
	for _, l := range t.order {
		ps = append(ps,
			method.Parameter{Name: l.module + ".lora_down.weight", Value: l.down, Rate: 1},
			method.Parameter{Name: l.module + ".lora_up.weight", Value: l.up, Rate: 1})
	}
	return ps
}

// WeightChange implements method.Tuning.
func (t *tuning) WeightChange() float64 {
	var change, all float64
	for _, l := range t.order {
		change += l.normSquared()
		for _, w := range l.weight.Floats() {
			all += float64(w) * float64(w)
		}
		l.weight.LetGo()
	}
	if all == 0 {
		return 0
	}
	return math.Sqrt(change / all)
}

// normSquared is ‖scale·up·down‖² = scale²·Σ (upᵀ·up)∘(down·downᵀ), without making the product.
func (l *layer) normSquared() float64 {
	r := l.down.Shape[0]
	in, out := l.down.Len()/r, l.up.Len()/r
	d, u := l.down.F32(), l.up.F32()
	sum := 0.0
	for a := range r {
		for b := range r {
			var dd, uu float64
			for i := range in {
				dd += float64(d[a*in+i]) * float64(d[b*in+i])
			}
			for o := range out {
				uu += float64(u[o*r+a]) * float64(u[o*r+b])
			}
			sum += dd * uu
		}
	}
	s := float64(l.scale())
	return s * s * sum
}

// Export implements method.Tuning: a kohya LoRA.
func (t *tuning) Export(path, _ string, about method.About, dtype kernel.DType) error {
	var modules []format.LoRAModule
	for _, l := range t.order {
		modules = append(modules, format.LoRAModule{Name: l.module, Down: l.down, Up: l.up, Alpha: l.alpha})
	}
	return format.WriteLoRA(path, modules, metadata(about), dtype)
}
