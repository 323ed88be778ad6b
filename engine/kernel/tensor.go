package kernel

import (
	"fmt"
	"unsafe"
)

// DType is the storage type of a tensor's elements.
type DType uint8

// The storage types. Arithmetic is in float32 (ref: accumulated in float64) whatever the storage.
const (
	F32  DType = iota // IEEE 754 binary32
	BF16              // the upper 16 bits of a binary32
	F16               // IEEE 754 binary16
	I32               // indices
)

// Size is the number of bytes of one element.
func (d DType) Size() int {
	if d == BF16 || d == F16 {
		return 2
	}
	return 4
}

// String gives the name used in flags and reports: "f32", "bf16", "f16", "i32".
func (d DType) String() string {
	return [...]string{"f32", "bf16", "f16", "i32"}[d]
}

// Tensor is a dense row-major array. Activations are channels-last: [batch, height, width, channels], which in
// memory is also [batch, tokens, channels]. Weights keep the layout of their files: Linear [out, in],
// convolution [out, in, kh, kw].
type Tensor struct {
	Shape []int
	DType DType
	Data  []byte // little-endian, at least Len()*DType.Size() bytes

	// Frozen says that Data will never change. A backend that wants a form of its own may then keep it in Packed.
	Frozen bool
	// Mapped says that Data is a view of a file: LetGo may take its memory, and the values come back from the file.
	Mapped bool
	// Packed belongs to the backend that runs the tensor: forms of a frozen weight that its kernels want.
	Packed any
}

// alignment of tensors that New makes, in bytes: one cache line, one AVX-512 register.
const alignment = 64

// AlignedBytes returns n zeroed bytes of Go memory that start on a 64-byte border.
func AlignedBytes(n int) []byte {
	b := make([]byte, n+alignment)
	off := int(-uintptr(unsafe.Pointer(&b[0])) & (alignment - 1))
	return b[off : off+n : off+n]
}

// New returns a zeroed tensor.
func New(dt DType, shape ...int) *Tensor {
	t := &Tensor{Shape: append([]int(nil), shape...), DType: dt}
	t.Data = AlignedBytes(t.Len() * dt.Size())
	return t
}

// FromF32 returns a tensor over values, without copying. It panics where the shape does not hold len(values)
// elements, which is a mistake of the program.
func FromF32(values []float32, shape ...int) *Tensor {
	t := &Tensor{Shape: append([]int(nil), shape...), DType: F32}
	if t.Len() != len(values) {
		panic(fmt.Sprintf("kernel: %d values for shape %v", len(values), shape))
	}
	if len(values) > 0 {
		t.Data = unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), 4*len(values))
	}
	return t
}

// Len is the number of elements.
func (t *Tensor) Len() int { return Len(t.Shape) }

// Len is the number of elements of a shape; 1 for the empty shape (a scalar).
func Len(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Rows is the number of elements divided by the last dimension: the rows of a channels-last tensor.
func (t *Tensor) Rows() int {
	if c := t.Channels(); c > 0 {
		return t.Len() / c
	}
	return 0
}

// Channels is the last dimension; 1 for a scalar.
func (t *Tensor) Channels() int {
	if len(t.Shape) == 0 {
		return 1
	}
	return t.Shape[len(t.Shape)-1]
}

// F32 views the data as float32. It panics for other types.
func (t *Tensor) F32() []float32 { return view[float32](t, F32, F32) }

// U16 views the data of a BF16 or F16 tensor as raw bits. It panics for other types.
func (t *Tensor) U16() []uint16 { return view[uint16](t, BF16, F16) }

// I32 views the data as int32. It panics for other types.
func (t *Tensor) I32() []int32 { return view[int32](t, I32, I32) }

func view[E any](t *Tensor, a, b DType) []E {
	if t.DType != a && t.DType != b {
		panic(fmt.Sprintf("kernel: %v tensor read as %v", t.DType, a))
	}
	n := t.Len()
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*E)(unsafe.Pointer(&t.Data[0])), n)
}

// Clone returns a copy in memory of its own, neither frozen nor packed.
func (t *Tensor) Clone() *Tensor {
	c := New(t.DType, t.Shape...)
	copy(c.Data, t.Data[:len(c.Data)])
	return c
}

// Convert returns the values as a new tensor of another floating type.
func (t *Tensor) Convert(dt DType) *Tensor {
	c := New(dt, t.Shape...)
	switch {
	case t.DType == dt:
		copy(c.Data, t.Data[:len(c.Data)])
	case dt == F32:
		t.ReadF32(c.F32())
	default:
		row := make([]float32, t.Len())
		t.ReadF32(row)
		c.WriteF32(row)
	}
	return c
}

// Floats returns the values as a new float32 slice.
func (t *Tensor) Floats() []float32 {
	v := make([]float32, t.Len())
	t.ReadF32(v)
	return v
}

// ReadF32 converts all elements into dst.
func (t *Tensor) ReadF32(dst []float32) {
	switch t.DType {
	case F32:
		copy(dst, t.F32())
	case BF16:
		for i, b := range t.U16() {
			dst[i] = BF16ToF32(b)
		}
	case F16:
		for i, b := range t.U16() {
			dst[i] = F16ToF32(b)
		}
	case I32:
		for i, v := range t.I32() {
			dst[i] = float32(v)
		}
	}
}

// WriteF32 converts src into the elements, rounding to nearest even.
func (t *Tensor) WriteF32(src []float32) {
	switch t.DType {
	case F32:
		copy(t.F32(), src)
	case BF16:
		for i, d := 0, t.U16(); i < len(d); i++ {
			d[i] = F32ToBF16(src[i])
		}
	case F16:
		for i, d := 0, t.U16(); i < len(d); i++ {
			d[i] = F32ToF16(src[i])
		}
	case I32:
		for i, d := 0, t.I32(); i < len(d); i++ {
			d[i] = int32(src[i])
		}
	}
}
