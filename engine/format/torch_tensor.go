package format

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"easel/engine/format/pickle"
	"easel/engine/kernel"
)

var rebuilds = []string{"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"}

// tensorEntry reads a call of torch._utils._rebuild_tensor*: (storage, offset, size, stride, ...), offset and stride in
// elements. A parameter is a tensor.
func tensorEntry(o *pickle.Object) (e entry, ok bool, err error) {
	if o.Class.Module != "torch._utils" {
		return e, false, nil
	}
	if o.Class.Name == "_rebuild_parameter" && len(o.Args) > 0 {
		inner, isObject := o.Args[0].(*pickle.Object)
		if !isObject || inner.Class.Name == "_rebuild_parameter" {
			return e, false, errors.New("a parameter without a tensor")
		}
		return tensorEntry(inner)
	}
	if !slices.Contains(rebuilds, o.Class.Name) || len(o.Args) < 4 {
		return e, false, fmt.Errorf("%s with %d arguments is not known", o.Class, len(o.Args))
	}
	s, isStorage := o.Args[0].(*storage)
	offset, isOffset := o.Args[1].(int64)
	shape, err1 := numbers(o.Args[2])
	strides, err2 := numbers(o.Args[3])
	if !isStorage || !isOffset || offset < 0 || err1 != nil || err2 != nil || len(shape) != len(strides) {
		return e, false, errors.Join(errors.New("its description is damaged"), err1, err2)
	}
	dt, count := s.dtype, s.count
	if o.Class.Name == "_rebuild_tensor_v3" {
		if dt, count, err = typedStorage(s, o.Args); err != nil {
			return e, false, err
		}
	}
	e = entry{dtype: dt, shape: shape}
	return e, true, e.place(s, count, uint64(offset), strides)
}

// typedStorage is the type and number of elements of a storage of bytes, which the seventh argument gives.
func typedStorage(s *storage, args pickle.Tuple) (dtype, uint64, error) {
	if len(args) < 7 {
		return dtype{}, 0, errors.New("its type is missing")
	}
	g, _ := args[6].(pickle.Global)
	dt, ok := dtypes[storageTypes[g]]
	if !ok {
		return dtype{}, 0, fmt.Errorf("its type %s is not known", g)
	}
	return dt, (s.end - s.begin) * 8 / dt.bits, nil
}

// place finds the bytes of a tensor in its storage of count elements. Strides are kept only where the elements do not
// lie one after the other.
func (e *entry) place(s *storage, count, offset uint64, strides []int) error {
	size, last, contiguous := uint64(1), offset, true
	for i := len(e.shape) - 1; i >= 0; i-- {
		dim, stride := uint64(e.shape[i]), uint64(strides[i])
		if dim != 1 && stride != size {
			contiguous = false
		}
		hi, lo := bits.Mul64(size, dim)
		if hi != 0 || lo > maxNumber {
			return fmt.Errorf("shape %v is too large", e.shape)
		}
		size = lo
		if dim > 0 { // below 2^48 each, and few: no overflow after the check
			reachHi, reach := bits.Mul64(dim-1, stride)
			if reachHi != 0 || reach > maxNumber {
				return fmt.Errorf("strides %v reach beyond the storage", strides)
			}
			last += reach
		}
	}
	width := e.dtype.bits / 8
	e.begin = s.begin + offset*width
	if size == 0 {
		e.begin, e.end = s.begin, s.begin
		return nil
	}
	if last >= count {
		return fmt.Errorf("shape %v with strides %v from %d reaches beyond the storage of %d", e.shape, strides, offset, count)
	}
	e.end = s.begin + (last+1)*width
	if !contiguous {
		e.strides = strides
	}
	return nil
}

// numbers reads a tuple or torch.Size of dimensions.
func numbers(v any) ([]int, error) {
	if o, ok := v.(*pickle.Object); ok && o.Class.Name == "Size" && len(o.Args) == 1 {
		v = o.Args[0]
	}
	t, ok := v.(pickle.Tuple)
	if !ok || len(t) > maxDims {
		return nil, errors.New("a shape is no short list")
	}
	ns := make([]int, len(t))
	for i, item := range t {
		n, ok := item.(int64)
		if !ok || n < 0 || uint64(n) > maxNumber {
			return nil, fmt.Errorf("%v is not a usable size", item)
		}
		ns[i] = int(n)
	}
	return ns, nil
}

// gather copies the elements of a tensor whose elements do not lie one after the other into their order.
func gather(data []byte, width int, shape, strides []int) []byte {
	out := kernel.AlignedBytes(kernel.Len(shape) * width)
	index := make([]int, len(shape))
	from := 0 // in elements
	for to := 0; to < len(out); to += width {
		copy(out[to:to+width], data[from*width:])
		for axis := len(shape) - 1; axis >= 0; axis-- { // the next element in C order
			index[axis]++
			from += strides[axis]
			if index[axis] < shape[axis] {
				break
			}
			from -= strides[axis] * shape[axis]
			index[axis] = 0
		}
	}
	return out
}
