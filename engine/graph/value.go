package graph

import (
	"fmt"
	"unsafe"

	"easel/engine/kernel"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Value presents a kernel tensor as a gorgonia.Value.
type Value struct{ T *kernel.Tensor }

// Shape implements gorgonia.Value.
func (v Value) Shape() tensor.Shape { return v.T.Shape }

// Size implements gorgonia.Value: the number of elements.
func (v Value) Size() int { return v.T.Len() }

// Data implements gorgonia.Value: a []float32 or []int32 where the storage is that, else the raw bytes.
func (v Value) Data() any {
	switch v.T.DType {
	case kernel.F32:
		return v.T.F32()
	case kernel.I32:
		return v.T.I32()
	}
	return v.T.Data
}

// Dtype implements gorgonia.Value: to Gorgonia every floating value is a float32.
func (v Value) Dtype() tensor.Dtype {
	if v.T.DType == kernel.I32 {
		return tensor.Int32
	}
	return tensor.Float32
}

// Type gives Gorgonia's type of the value.
func (v Value) Type() hm.Type { return typeOf(v.T.Shape, v.Dtype()) }

// Uintptr implements tensor.Memory.
func (v Value) Uintptr() uintptr {
	if len(v.T.Data) == 0 {
		return 0
	}
	return uintptr(unsafe.Pointer(&v.T.Data[0]))
}

// MemSize implements tensor.Memory.
func (v Value) MemSize() uintptr { return uintptr(len(v.T.Data)) }

// Format implements fmt.Formatter.
func (v Value) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "%v%v", v.T.DType, v.T.Shape) }

// fromValue views a Gorgonia value as a kernel tensor.
func fromValue(v gorgonia.Value) (*kernel.Tensor, error) {
	if own, ok := v.(Value); ok {
		return own.T, nil
	}
	shape := []int(v.Shape())
	switch data := v.Data().(type) {
	case []float32:
		return kernel.FromF32(data, shape...), nil
	case float32:
		return kernel.FromF32([]float32{data}), nil
	case []int32:
		t := kernel.New(kernel.I32, shape...)
		copy(t.I32(), data)
		return t, nil
	}
	return nil, fmt.Errorf("a value of %v cannot be computed with", v.Dtype())
}

// toDense makes the value that Gorgonia's own operators expect.
func toDense(data []float32, shape tensor.Shape) gorgonia.Value {
	if len(shape) == 0 {
		f := gorgonia.F32(data[0])
		return &f
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
}
