package format

import (
	"encoding/binary"
	"fmt"
	"math"

	"easel/engine/kernel"
)

// dtype is one element type of safetensors.
type dtype struct {
	name string
	bits uint64
	rank int // place in the official enum; files are laid out by descending rank
}

// dtypes are all types of safetensors/src/tensor.rs in the order of its enum.
var dtypes = func() map[string]dtype {
	m := map[string]dtype{}
	for i, d := range []dtype{
		{name: "BOOL", bits: 8}, {name: "F4", bits: 4}, {name: "F6_E2M3", bits: 6}, {name: "F6_E3M2", bits: 6},
		{name: "U8", bits: 8}, {name: "I8", bits: 8}, {name: "F8_E5M2", bits: 8}, {name: "F8_E4M3", bits: 8},
		{name: "F8_E8M0", bits: 8}, {name: "F8_E4M3FNUZ", bits: 8}, {name: "F8_E5M2FNUZ", bits: 8},
		{name: "I16", bits: 16}, {name: "U16", bits: 16}, {name: "F16", bits: 16}, {name: "BF16", bits: 16},
		{name: "I32", bits: 32}, {name: "U32", bits: 32}, {name: "F32", bits: 32}, {name: "C64", bits: 64},
		{name: "F64", bits: 64}, {name: "I64", bits: 64}, {name: "U64", bits: 64},
	} {
		d.rank = i
		m[d.name] = d
	}
	return m
}()

// native are the types that a kernel.Tensor holds as they are.
var native = map[string]kernel.DType{"F32": kernel.F32, "F16": kernel.F16, "BF16": kernel.BF16, "I32": kernel.I32}

// nameOf is the safetensors name of a kernel type.
func nameOf(dt kernel.DType) string {
	return [...]string{kernel.F32: "F32", kernel.BF16: "BF16", kernel.F16: "F16", kernel.I32: "I32"}[dt]
}

// convert returns data of a type that no kernel.Tensor holds as a new tensor: F64 as F32, the 8-bit floats as
// F16 (exactly), integers as I32. Integers that do not fit are an error.
func convert(name string, data []byte, shape []int) (*kernel.Tensor, error) {
	le := binary.LittleEndian
	switch name {
	case "F64":
		t := kernel.New(kernel.F32, shape...)
		for i, dst := 0, t.F32(); i < len(dst); i++ {
			dst[i] = float32(math.Float64frombits(le.Uint64(data[8*i:])))
		}
		return t, nil
	case "F8_E5M2": // the upper byte of a binary16
		t := kernel.New(kernel.F16, shape...)
		for i, dst := 0, t.U16(); i < len(dst); i++ {
			dst[i] = uint16(data[i]) << 8
		}
		return t, nil
	case "F8_E4M3":
		t := kernel.New(kernel.F16, shape...)
		for i, dst := 0, t.U16(); i < len(dst); i++ {
			dst[i] = kernel.F32ToF16(e4m3(data[i]))
		}
		return t, nil
	}
	at := integerAt(name)
	if at == nil {
		return nil, fmt.Errorf("its type %s is not supported", name)
	}
	t := kernel.New(kernel.I32, shape...)
	for i, dst := 0, t.I32(); i < len(dst); i++ {
		v, ok := at(data, i)
		if !ok || v < math.MinInt32 || v > math.MaxInt32 {
			return nil, fmt.Errorf("element %d does not fit in 32 bits", i)
		}
		dst[i] = int32(v)
	}
	return t, nil
}

// integerAt returns a reader of element i of an integer type, nil for other types. The reader's second result is
// false where an unsigned value exceeds an int64.
func integerAt(name string) func(data []byte, i int) (int64, bool) {
	le := binary.LittleEndian
	switch name {
	case "BOOL", "U8":
		return func(d []byte, i int) (int64, bool) { return int64(d[i]), true }
	case "I8":
		return func(d []byte, i int) (int64, bool) { return int64(int8(d[i])), true }
	case "I16":
		return func(d []byte, i int) (int64, bool) { return int64(int16(le.Uint16(d[2*i:]))), true }
	case "U16":
		return func(d []byte, i int) (int64, bool) { return int64(le.Uint16(d[2*i:])), true }
	case "U32":
		return func(d []byte, i int) (int64, bool) { return int64(le.Uint32(d[4*i:])), true }
	case "I64":
		return func(d []byte, i int) (int64, bool) { return int64(le.Uint64(d[8*i:])), true }
	case "U64":
		return func(d []byte, i int) (int64, bool) {
			v := le.Uint64(d[8*i:])
			return int64(v), v <= math.MaxInt64
		}
	}
	return nil
}

// e4m3 is the value of a torch float8_e4m3fn: bias 7, no infinity, 0x7F and 0xFF are NaN.
func e4m3(b byte) float32 {
	exp, man := int(b>>3&15), float64(b&7)
	v := math.Ldexp(man, -9)
	switch {
	case b&0x7F == 0x7F:
		return float32(math.NaN())
	case exp > 0:
		v = math.Ldexp(8+man, exp-10)
	}
	if b&0x80 != 0 {
		v = -v
	}
	return float32(v)
}
