package format

import (
	"errors"
	"fmt"

	"easel/engine"
	"easel/engine/format/pickle"
)

const opPickle = "read PyTorch file"

// storageTypes are torch's storage classes and types, as safetensors types.
var storageTypes = map[pickle.Global]string{}

func init() {
	for name, of := range map[string][]string{
		"F32": {"FloatStorage", "float32"}, "F16": {"HalfStorage", "float16"}, "BF16": {"BFloat16Storage", "bfloat16"},
		"F64": {"DoubleStorage", "float64"}, "I64": {"LongStorage", "int64"}, "I32": {"IntStorage", "int32"},
		"I16": {"ShortStorage", "int16"}, "I8": {"CharStorage", "int8"}, "U8": {"ByteStorage", "uint8"}, "BOOL": {"BoolStorage", "bool"},
		"U16": {"uint16"}, "U32": {"uint32"}, "U64": {"uint64"}, "F8_E4M3": {"float8_e4m3fn"}, "F8_E5M2": {"float8_e5m2"},
	} {
		for _, global := range of {
			storageTypes[pickle.Global{Module: "torch", Name: global}] = name
		}
	}
}

// storage is a row of numbers to which tensors refer.
type storage struct {
	dtype      dtype  // of bytes (U8) where the tensors say it
	count      uint64 // elements
	begin, end uint64 // bytes of the file
}

// parsePickle reads a file by torch.save, in the zip form or the older stream. Its tensors lie in data.
func parsePickle(path string, data []byte, release func() error) (*File, error) {
	read := readStream
	if isZip(data) {
		read = readArchive
	}
	h, err := read(data)
	if err != nil {
		if release != nil {
			release()
		}
		kind := engine.BadFile
		if errors.Is(err, pickle.ErrRefused) {
			kind = engine.Unsupported
		}
		return nil, engine.Errorf(opPickle, path, kind, "%w", err)
	}
	return newFile(path, h, int64(len(data)), data, release), nil
}

// storageID is a persistent id: ("storage", class, key, location, numel[, view]).
type storageID struct {
	key   string
	dtype dtype
	count uint64
	view  pickle.Tuple // (key, offset, numel) within the storage; nil where it is the whole
}

func parseStorageID(v any) (id storageID, err error) {
	t, _ := v.(pickle.Tuple)
	if len(t) < 5 || t[0] != "storage" {
		return id, errors.New("a reference is none to a storage")
	}
	class, isClass := t[1].(pickle.Global)
	count, isCount := t[4].(int64)
	var isKey bool
	id.key, isKey = t[2].(string)
	if !isClass || !isCount || !isKey || count < 0 || uint64(count) > maxNumber {
		return id, errors.New("a storage's description is damaged")
	}
	name := storageTypes[class]
	if class.Module == "torch.storage" {
		name = "U8"
	}
	var known bool
	if id.dtype, known = dtypes[name]; !known {
		return id, fmt.Errorf("a storage of %s is not known", class)
	}
	id.count = uint64(count)
	if len(t) > 5 {
		id.view, _ = t[5].(pickle.Tuple)
	}
	return id, nil
}
