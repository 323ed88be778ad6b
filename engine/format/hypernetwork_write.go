package format

import (
	"strconv"

	"easel/engine/format/pickle"
	"easel/engine/kernel"
)

// HypernetworkMeta is what A1111's files tell beside the networks.
type HypernetworkMeta struct {
	Name       string
	Steps      int
	Structure  []float64 // widths of the layers, as multiples of the context's
	Activation string    // "linear" for none
	Init       string    // A1111's name of the first values
	LayerNorm  bool
	Info       string // free text
}

// WriteHypernetwork writes A1111's .pt, in the form that ComfyUI reads alike (formats.md 6.3): no dropout, which counts in
// training only and would number the layers anew, and a bias of 0 where there is none. Modules come in pairs, keys
// and values of a width. Errors as of WriteTorch.
func WriteHypernetwork(path string, modules []HypernetworkModule, meta HypernetworkMeta, dtype kernel.DType) error {
	root := &pickle.Dict{}
	for i := 0; i+1 < len(modules); i += 2 {
		root.Set(modules[i].Width, pickle.Tuple{modules[i].state(dtype), modules[i+1].state(dtype)})
	}
	structure, drops := &pickle.List{}, &pickle.List{}
	for _, v := range meta.Structure {
		drops.Items = append(drops.Items, 0)
		if v == float64(int(v)) { // old readers take whole numbers only
			structure.Items = append(structure.Items, int(v))
		} else {
			structure.Items = append(structure.Items, v)
		}
	}
	for _, entry := range []struct {
		key   string
		value any
	}{
		{"step", meta.Steps}, {"name", meta.Name}, {"layer_structure", structure}, {"activation_func", meta.Activation},
		{"is_layer_norm", meta.LayerNorm}, {"weight_initialization", meta.Init}, {"use_dropout", false},
		{"sd_checkpoint", nil}, {"sd_checkpoint_name", nil}, {"activate_output", false}, {"last_layer_dropout", false},
		{"dropout_structure", drops}, {"optional_info", meta.Info},
	} {
		root.Set(entry.key, entry.value)
	}
	return WriteTorch(path, root)
}

// state is the network's state_dict. A layer's number counts all modules of torch's Sequential before it.
func (m HypernetworkModule) state(dtype kernel.DType) *pickle.Dict {
	d := &pickle.Dict{}
	at := 0
	put := func(weight, bias *kernel.Tensor) {
		prefix := "linear." + strconv.Itoa(at) + "."
		if bias == nil {
			bias = kernel.New(kernel.F32, weight.Shape[0])
		}
		d.Set(prefix+"weight", weight.Convert(dtype))
		d.Set(prefix+"bias", bias.Convert(dtype))
		at++
	}
	for _, l := range m.Layers {
		put(l.Weight, l.Bias)
		if l.Activation != "" {
			at++
		}
		if l.Gamma != nil {
			put(l.Gamma, l.Beta)
		}
	}
	return d
}
