package hypernetwork

import (
	"fmt"
	"slices"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
	"easel/engine/method"
	"easel/engine/model"
)

// classic is A1111's kind at work: for each width of context one network for the keys and one for the values, which all
// attention layers of that width share.
type classic struct {
	model.Unchanged
	settings map[string]string
	shape    shape
	mlps     map[string]*mlp // by name
	order    []*mlp
	layers   []model.Layer // that make keys or values of a changed context
	dropout  *dropout
	changed  changed
}

func newClassic(layers []model.Layer, seed uint64, context int, s *method.Settings) (*classic, error) {
	t := &classic{settings: record(s, classicKind), shape: readShape(s), mlps: map[string]*mlp{}, dropout: &dropout{seed: seed}}
	widths := readWidths(s, context, widthsOf(layers))
	if s.Err != nil {
		return nil, s.Err
	}
	for _, width := range widths {
		for _, side := range []string{"k", "v"} {
			m := t.shape.new(format.HypernetworkModule{Width: width, Side: side}, seed)
			t.mlps[m.Name()] = m
			t.order = append(t.order, m)
		}
	}
	for _, l := range layers {
		if t.of(l) != nil {
			t.layers = append(t.layers, l)
		}
	}
	return t, nil
}

// of is the network that changes what goes into a layer, nil where none does.
func (t *classic) of(l model.Layer) *mlp { return t.mlps[nameOf(l)] }

// readWidths reads the setting by what the model has.
func readWidths(s *method.Settings, context int, has []int) []int {
	switch s.Text("widths") {
	case "context":
		return []int{context}
	case "all":
		return has
	}
	given, err := numbers(s.Text("widths"))
	var widths []int
	for _, w := range given {
		if !slices.Contains(has, int(w)) || slices.Contains(widths, int(w)) || w != float64(int(w)) {
			s.Fail("widths cannot hold %g once more or at all: this model's contexts are %v wide", w, has)
			return nil
		}
		widths = append(widths, int(w))
	}
	if err != nil || len(widths) == 0 {
		s.Fail("widths must be context, all, or some of %v, not %q", has, s.Text("widths"))
	}
	return widths
}

// Before implements model.Adapter.
func (t *classic) Before(g *graph.Graph, l model.Layer, x *graph.Node) *graph.Node {
	m := t.of(l)
	if m == nil {
		return x
	}
	if t.shape.drops() { // each layer has masks of its own, as in A1111
		return m.apply(g, x, parameter, 1, func(i int) graph.Mask { return t.dropout.of(l.Module, i, m.dropout[i]) })
	}
	return t.changed.once(g, x, m, func() *graph.Node { return m.apply(g, x, parameter, 1, nil) })
}

// Settings implements method.Tuning.
func (t *classic) Settings() map[string]string { return t.settings }

// TrainsText implements method.Tuning.
func (t *classic) TrainsText() bool { return false }

// Parameters implements method.Tuning.
func (t *classic) Parameters() []method.Parameter {
	var ps []method.Parameter
	add := func(name string, v *kernel.Tensor) {
		if v != nil {
			ps = append(ps, method.Parameter{Name: name, Value: v, Rate: 1})
		}
	}
	for _, m := range t.order {
		for i, l := range m.Layers {
			name := m.layerName(i)
			add(name+".weight", l.Weight)
			add(name+".bias", l.Bias)
			add(name+".norm.weight", l.Gamma)
			add(name+".norm.bias", l.Beta)
		}
	}
	return ps
}

// BeforeStep implements method.Tuning: masks are drawn for the step.
func (t *classic) BeforeStep(step int) { t.dropout.step, t.dropout.on = step, true }

// AfterStep implements method.Tuning.
func (t *classic) AfterStep(int) { t.dropout.on = false }

// WeightChange implements method.Tuning: the networks turn a context c into (1 + M)·c, so it is ‖M‖/‖1‖ over them. M is the
// product of the layers' weights; what lies between them is left out.
func (t *classic) WeightChange() float64 {
	var change, all float64
	for _, m := range t.order {
		change += squares(m.product(0).F32())
		all += float64(m.Width)
	}
	return ratio(change, all)
}

// Forms implements method.Chooser.
func (t *classic) Forms() []engine.FileForm {
	if t.shape.linear() {
		return []engine.FileForm{a1111Form, loraForm}
	}
	return []engine.FileForm{a1111Form}
}

// Export implements method.Tuning.
func (t *classic) Export(path, form string, about method.About, dtype kernel.DType) error {
	if form == loraForm.Name {
		return t.exportLoRA(path, about, dtype)
	}
	return t.exportA1111(path, about, dtype)
}

// dropout leaves out numbers between the layers, in training steps only.
type dropout struct {
	seed uint64
	step int
	on   bool
}

// of is the mask behind a network's layer i where it changes the context of module.
func (d *dropout) of(module string, i int, share float64) graph.Mask {
	return mask{d, uint64(stream(fmt.Sprint(module, " ", i))), share}
}

type mask struct {
	*dropout
	first uint64
	share float64
}

// Draw implements graph.Mask: a function of (seed, step, module, element). What is kept is scaled up, as torch does.
func (m mask) Draw(factors []float32, _ []int) bool {
	if !m.on {
		return false
	}
	kept := float32(1 / (1 - m.share))
	for i := range factors {
		factors[i] = 0
		if rng.Float64(m.seed, m.step, rng.Dropout, m.first+uint64(i)) >= m.share {
			factors[i] = kept
		}
	}
	return true
}
