package format

import (
	"archive/zip"
	"fmt"
	"io"

	"easel/engine"
	"easel/engine/format/pickle"
	"easel/engine/internal/atomicfile"
	"easel/engine/kernel"
)

const opWriteTorch = "write PyTorch file"

// WriteTorch writes a value as torch.save does, in the zip form, with the three members that every loader takes
// (formats.md 10.5). The value is made of pickle's values and of *kernel.Tensor, each of which gets a storage of its
// own. The file appears whole or not at all. Errors: BadInput for a value that a pickle cannot hold, NaN for a tensor
// that is not finite, BadFile where the disk refuses.
func WriteTorch(path string, value any) error {
	t := torchWriter{path: path}
	text, err := pickle.Write(value, t.tensor)
	if err != nil {
		return err
	}
	return atomicfile.Write(opWriteTorch, path, func(w io.Writer) error {
		z := zip.NewWriter(w)
		if err := store(z, "data.pkl", text); err != nil {
			return err
		}
		for i, s := range t.storages {
			if err := store(z, fmt.Sprint("data/", i), s); err != nil {
				return err
			}
		}
		if err := store(z, "version", []byte("3\n")); err != nil {
			return err
		}
		return z.Close()
	})
}

// store adds a member, uncompressed.
func store(z *zip.Writer, name string, data []byte) error {
	w, err := z.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: zip.Store})
	if err == nil {
		_, err = w.Write(data)
	}
	return err
}

// storageClasses are those of the types that a kernel tensor has.
var storageClasses = map[kernel.DType]string{kernel.F32: "FloatStorage", kernel.F16: "HalfStorage", kernel.BF16: "BFloat16Storage", kernel.I32: "IntStorage"}

// torchWriter collects the storages; the i-th has the key i.
type torchWriter struct {
	path     string
	storages [][]byte
}

// tensor is the call that makes a tensor anew: torch._utils._rebuild_tensor_v2(storage, offset, size, stride,
// requires_grad, hooks).
func (w *torchWriter) tensor(v any) (any, error) {
	t, ok := v.(*kernel.Tensor)
	if !ok {
		return nil, engine.Errorf(opWriteTorch, w.path, engine.BadInput, "a pickle holds no %T", v)
	}
	if t.DType != kernel.I32 && !finite(t) {
		return nil, engine.Errorf(opWriteTorch, w.path, engine.NaN, "a tensor of shape %v holds values that are not finite in %v; the file was not written", t.Shape, t.DType)
	}
	size, stride := make(pickle.Tuple, len(t.Shape)), make(pickle.Tuple, len(t.Shape))
	n := 1
	for i := len(t.Shape) - 1; i >= 0; i-- {
		size[i], stride[i] = t.Shape[i], n
		n *= t.Shape[i]
	}
	storage := pickle.Tuple{"storage", pickle.Global{Module: "torch", Name: storageClasses[t.DType]}, fmt.Sprint(len(w.storages)), "cpu", n}
	w.storages = append(w.storages, t.Data[:n*t.DType.Size()])
	return &pickle.Object{Class: pickle.Global{Module: "torch._utils", Name: "_rebuild_tensor_v2"},
		Args: pickle.Tuple{pickle.Reference{ID: storage}, 0, size, stride, false, &pickle.Object{Class: pickle.Global{Module: "collections", Name: "OrderedDict"}}}}, nil
}
