package pickle

import (
	"slices"
	"strings"
)

// allowed are the functions and classes that files of weights use, and those that old training programs left beside
// them (formats.md 10.4, after torch/_weights_only_unpickler.py). None of them is ever called.
var allowed = map[string][]string{
	"collections":  {"OrderedDict", "defaultdict"},
	"torch._utils": {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter"},
	"torch": {"FloatStorage", "HalfStorage", "BFloat16Storage", "DoubleStorage", "LongStorage", "IntStorage", "ShortStorage",
		"CharStorage", "ByteStorage", "BoolStorage", "Size", "device", "float32", "float16", "bfloat16", "float64", "int64", "int32",
		"int16", "int8", "uint8", "uint16", "uint32", "uint64", "bool", "float8_e4m3fn", "float8_e5m2"},
	"torch.storage":               {"UntypedStorage", "TypedStorage"},
	"torch.nn.parameter":          {"Parameter"},
	"torch.nn.modules.container":  {"ParameterDict"},
	"torch.serialization":         {"_get_layout"},
	"pytorch_lightning.callbacks": {"model_checkpoint"},
	"numpy.core.multiarray":       {"scalar", "_reconstruct"},
	"numpy._core.multiarray":      {"scalar", "_reconstruct"},
	"numpy":                       {"dtype", "ndarray"},
	"_codecs":                     {"encode"},
	"__builtin__":                 {"set", "dict", "list", "int", "long", "float", "str", "bool"},
	"builtins":                    {"set", "dict", "list", "int", "float", "str", "bool"},
	"typing":                      {"Any"},
	"pytorch_lightning.callbacks.model_checkpoint": {"ModelCheckpoint"},
}

// allowedIn are modules of which every class is allowed.
var allowedIn = []string{"pytorch_lightning.utilities.enums", "omegaconf"}

func isAllowed(g Global) bool {
	if slices.Contains(allowed[g.Module], g.Name) {
		return true
	}
	return slices.ContainsFunc(allowedIn, func(module string) bool {
		return g.Module == module || strings.HasPrefix(g.Module, module+".")
	})
}

// call stands for calling g. It takes time and memory for as many steps as it returns.
func call(g Global, args Tuple) (value any, steps int) {
	list, _ := first(args).(*List)
	switch {
	case g == Global{"collections", "OrderedDict"} && list == nil:
		return &Dict{}, 1
	case g == Global{"collections", "OrderedDict"}:
		return dictOf(list), len(list.Items)
	case g.Name == "set" && list != nil:
		return list, 1
	}
	return &Object{Class: g, Args: args}, 1
}

func first(args Tuple) any {
	if len(args) == 0 {
		return nil
	}
	return args[0]
}

// dictOf makes a dictionary of pairs, as Python 2 writes an OrderedDict.
func dictOf(pairs *List) *Dict {
	d := &Dict{}
	for _, item := range pairs.Items {
		pair, ok := item.(Tuple)
		if list, isList := item.(*List); isList {
			pair, ok = Tuple(list.Items), true
		}
		if ok && len(pair) == 2 {
			d.Set(pair[0], pair[1])
		}
	}
	return d
}
