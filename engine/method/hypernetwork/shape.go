package hypernetwork

import (
	"math"
	"strconv"
	"strings"

	"easel/engine/format"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
	"easel/engine/method"
)

// shape is how the networks of a classic hypernetwork are made.
type shape struct {
	structure  []float64 // multiples of the width
	activation string
	init       string
	norm, bias bool
	dropout    []float64 // behind each of structure's layers; nil for none
}

func readShape(s *method.Settings) shape {
	sh := shape{activation: s.Text("activation"), init: s.Text("init"), norm: s.Text("layer-norm") == "on", bias: s.Text("bias") == "on"}
	var err error
	sh.structure, err = numbers(s.Text("structure"))
	if n := len(sh.structure); err != nil || n < 2 || n > 10 || sh.structure[0] != 1 || sh.structure[n-1] != 1 {
		s.Fail("structure must be 2 to 10 numbers that begin and end with 1, such as 1,2,1, not %q", s.Text("structure"))
		return sh
	}
	for _, m := range sh.structure {
		if !(m > 0) || m > 16 {
			s.Fail("the layers of structure must be above 0 and at most 16 times as wide as the context, not %g", m)
		}
	}
	sh.readDropout(s)
	return sh
}

func (sh *shape) readDropout(s *method.Settings) {
	text := s.Text("dropout")
	if text == "" {
		return
	}
	var err error
	sh.dropout, err = numbers(text)
	if n := len(sh.structure); err != nil || len(sh.dropout) != n || sh.dropout[0] != 0 || sh.dropout[n-1] != 0 {
		s.Fail("dropout must be %d numbers for the structure %s, the first and last 0, not %q", n, s.Text("structure"), text)
		return
	}
	for _, p := range sh.dropout {
		if !(p >= 0 && p < 1) {
			s.Fail("a dropout must be from 0 up to, but below, 1, not %g", p)
		}
	}
}

// numbers reads "1, 2, 1".
func numbers(text string) ([]float64, error) {
	var list []float64
	for _, item := range strings.Split(text, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(item), 64)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// drops says whether training leaves something out.
func (sh shape) drops() bool {
	for _, p := range sh.dropout {
		if p > 0 {
			return true
		}
	}
	return false
}

// linear says whether the networks are matrices: then a LoRA can do the same.
func (sh shape) linear() bool {
	return (sh.activation == linear || len(sh.structure) == 2) && !sh.norm && !sh.bias
}

// new makes a network with its first values.
func (sh shape) new(of format.HypernetworkModule, seed uint64) *mlp {
	m := &mlp{HypernetworkModule: of}
	last := len(sh.structure) - 2
	for i := range last + 1 {
		in, out := scaled(m.Width, sh.structure[i]), scaled(m.Width, sh.structure[i+1])
		l := format.HypernetworkLayer{Weight: kernel.New(kernel.F32, out, in)}
		if sh.bias {
			l.Bias = kernel.New(kernel.F32, out)
		}
		if i < last && sh.activation != linear {
			l.Activation = sh.activation
		}
		if sh.norm {
			l.Gamma, l.Beta = kernel.New(kernel.F32, out), kernel.New(kernel.F32, out)
		}
		sh.initialise(l, seed, m.layerName(i), i == last)
		m.Layers = append(m.Layers, l)
	}
	if sh.drops() {
		m.dropout = sh.dropout[1:]
	}
	return m
}

// scaled is A1111's int(width·multiple), at least 1.
func scaled(width int, multiple float64) int { return max(int(float64(width)*multiple), 1) }

// Initial values. All but Zero are A1111's (HypernetworkModule.__init__), which then draw a layer norm's weights too.
const initZero = "Zero"

var initNames = []string{initZero, "Normal", "XavierUniform", "XavierNormal", "KaimingUniform", "KaimingNormal"}

// initialise draws a layer's weights; biases stay 0. Zero is torch's first values for a linear layer, and 0 in the last,
// so that nothing changes at step 0.
func (sh shape) initialise(l format.HypernetworkLayer, seed uint64, name string, last bool) {
	out, in := float64(l.Weight.Shape[0]), float64(l.Weight.Shape[1])
	switch sh.init {
	case initZero:
		if !last || sh.norm {
			uniform(l.Weight, seed, name, 1/math.Sqrt(in))
		}
	case "Normal":
		normal(l.Weight, seed, name, 0.01)
	case "XavierUniform":
		uniform(l.Weight, seed, name, math.Sqrt(6/(in+out)))
	case "XavierNormal":
		normal(l.Weight, seed, name, math.Sqrt(2/(in+out)))
	case "KaimingUniform":
		uniform(l.Weight, seed, name, math.Sqrt(6/in))
	case "KaimingNormal":
		normal(l.Weight, seed, name, math.Sqrt(2/in))
	}
	switch {
	case l.Gamma == nil || sh.init == initZero && last:
	case sh.init == initZero:
		for i := range l.Gamma.F32() {
			l.Gamma.F32()[i] = 1
		}
	default:
		normal(l.Gamma, seed, name+".norm", 0.01)
	}
}

func normal(t *kernel.Tensor, seed uint64, name string, deviation float64) {
	rng.Normal(t.F32(), seed, stream(name), rng.Init)
	for i := range t.F32() {
		t.F32()[i] *= float32(deviation)
	}
}

func uniform(t *kernel.Tensor, seed uint64, name string, bound float64) {
	for i := range t.F32() {
		t.F32()[i] = float32((2*rng.Float64(seed, stream(name), rng.Init, uint64(i)) - 1) * bound)
	}
}
