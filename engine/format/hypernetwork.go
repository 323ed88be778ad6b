package format

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"easel/engine"
	"easel/engine/kernel"
)

const opHypernetwork = "read hypernetwork"

// HypernetworkModule is one of the networks of A1111's hypernetworks: x + layers(x) on the contexts of a width, for the
// keys or the values of all attention layers with such a context (formats.md 6).
type HypernetworkModule struct {
	Width  int    // of the context
	Side   string // "k" or "v"
	Layers []HypernetworkLayer
}

// Name is "768.k".
func (m HypernetworkModule) Name() string { return strconv.Itoa(m.Width) + "." + m.Side }

// HypernetworkLayer is a linear layer and what follows it: an activation, then a layer norm.
type HypernetworkLayer struct {
	Weight, Bias *kernel.Tensor // [out, in], [out]; Bias nil where there is none
	Activation   string         // A1111's name; empty for none
	Gamma, Beta  *kernel.Tensor // [out]; nil where there is no layer norm
}

// linearName is "768.0.linear.2.weight", or "768.0.linear1.weight" in old files.
var linearName = regexp.MustCompile(`^(\d{1,6})\.([01])\.linear\.?(\d{1,3})\.(weight|bias)$`)

// hypernetworkPart is one of torch's modules with weights in a network: a linear layer or a layer norm.
type hypernetworkPart struct {
	number       int // in torch's Sequential
	weight, bias *kernel.Tensor
}

// ReadHypernetwork reads the networks of an opened file, sorted by width, keys first. Tensors keep the file's type. Errors:
// BadFile for networks that are damaged or no hypernetwork's.
func ReadHypernetwork(f *File) ([]HypernetworkModule, error) {
	bad := func(format string, args ...any) ([]HypernetworkModule, error) {
		return nil, engine.Errorf(opHypernetwork, f.Path(), engine.BadFile, format, args...)
	}
	parts := map[string]map[int]*hypernetworkPart{} // by module and number
	modules := map[string]HypernetworkModule{}
	for _, name := range f.Names() {
		found := linearName.FindStringSubmatch(name)
		if found == nil {
			continue
		}
		t, err := f.Tensor(name)
		if err != nil {
			return nil, err
		}
		m := HypernetworkModule{Side: map[string]string{"0": "k", "1": "v"}[found[2]]}
		m.Width, _ = strconv.Atoi(found[1])
		number, _ := strconv.Atoi(found[3])
		if parts[m.Name()] == nil {
			parts[m.Name()], modules[m.Name()] = map[int]*hypernetworkPart{}, m
		}
		if parts[m.Name()][number] == nil {
			parts[m.Name()][number] = &hypernetworkPart{number: number}
		}
		p := parts[m.Name()][number]
		if found[4] == "weight" {
			p.weight = t
		} else {
			p.bias = t
		}
	}
	if len(modules) == 0 {
		return bad("it holds no networks of a hypernetwork")
	}
	var list []HypernetworkModule
	for name, m := range modules {
		if _, both := modules[strconv.Itoa(m.Width)+"."+map[string]string{"k": "v", "v": "k"}[m.Side]]; !both {
			return bad("of the networks for contexts %d wide one is missing", m.Width)
		}
		if err := m.assemble(parts[name], f.Metadata()); err != nil {
			return bad("the network %s: %w", name, err)
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b HypernetworkModule) int {
		return cmp.Or(cmp.Compare(a.Width, b.Width), cmp.Compare(a.Side, b.Side))
	})
	return list, nil
}

// assemble puts the layers together in their order.
func (m *HypernetworkModule) assemble(parts map[int]*hypernetworkPart, metadata map[string]string) error {
	width := m.Width
	for _, p := range slices.SortedFunc(maps.Values(parts), func(a, b *hypernetworkPart) int { return a.number - b.number }) {
		switch {
		case p.weight == nil:
			return fmt.Errorf("layer %d has no weight", p.number)
		case len(p.weight.Shape) == 2 && p.weight.Shape[1] == width && fitsBias(p.bias, p.weight.Shape[0]):
			m.Layers = append(m.Layers, HypernetworkLayer{Weight: p.weight, Bias: p.bias, Activation: metadata["activation_func"]})
			width = p.weight.Shape[0]
		case len(p.weight.Shape) == 1 && len(m.Layers) > 0 && m.Layers[len(m.Layers)-1].Gamma == nil && p.weight.Shape[0] == width && p.bias != nil && fitsBias(p.bias, width):
			last := &m.Layers[len(m.Layers)-1]
			last.Gamma, last.Beta = p.weight, p.bias
		default:
			return fmt.Errorf("layer %d of shape %v does not fit the %d numbers that it gets", p.number, p.weight.Shape, width)
		}
	}
	if width != m.Width {
		return fmt.Errorf("it makes %d numbers of a context of %d", width, m.Width)
	}
	// A1111 has an activation behind the last layer too in files that do not say.
	if metadata["activate_output"] == "False" {
		m.Layers[len(m.Layers)-1].Activation = ""
	}
	return nil
}

func fitsBias(bias *kernel.Tensor, n int) bool {
	return bias == nil || len(bias.Shape) == 1 && bias.Shape[0] == n
}
