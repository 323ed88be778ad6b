package pickle

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Reference is a persistent id in a value that is written: it refers to data outside of the pickle.
type Reference struct{ ID any }

// Write makes a pickle of protocol 2, which Python 2 and 3 read, of what Read makes of one: nil, bool, int, int64,
// float64, string, Tuple, *List, *Dict, Global and *Object, and of References. A value of another type is given to
// other, which makes one of these of it; without other it is an error.
func Write(v any, other func(v any) (any, error)) ([]byte, error) {
	w := writer{data: []byte{0x80, 2}, other: other}
	if err := w.value(v); err != nil {
		return nil, err
	}
	return append(w.data, stop), nil
}

type writer struct {
	data  []byte
	other func(v any) (any, error)
}

func (w *writer) op(codes ...byte) { w.data = append(w.data, codes...) }

// value writes the instructions that leave v on the stack.
func (w *writer) value(v any) error {
	switch v := v.(type) {
	case nil:
		w.op('N')
	case bool:
		w.op(map[bool]byte{true: 0x88, false: 0x89}[v])
	case int:
		w.integer(int64(v))
	case int64:
		w.integer(v)
	case float64:
		w.op('G')
		w.data = binary.BigEndian.AppendUint64(w.data, math.Float64bits(v))
	case string:
		w.op('X')
		w.data = binary.LittleEndian.AppendUint32(w.data, uint32(len(v)))
		w.data = append(w.data, v...)
	case Global:
		w.data = append(w.data, "c"+v.Module+"\n"+v.Name+"\n"...)
	case Tuple:
		return w.marked(')', 't', v)
	case *List:
		w.op(']')
		return w.marked(0, 'e', v.Items)
	case *Dict:
		return w.dict(v)
	case *Object:
		return w.object(v)
	case Reference:
		return w.then('Q', v.ID)
	default:
		return w.foreign(v)
	}
	return nil
}

// integer is a BININT, as everything small is, or a LONG1.
func (w *writer) integer(n int64) {
	if n == int64(int32(n)) {
		w.op('J')
		w.data = binary.LittleEndian.AppendUint32(w.data, uint32(n))
		return
	}
	w.op(0x8a, 8)
	w.data = binary.LittleEndian.AppendUint64(w.data, uint64(n))
}

// then writes values and the instruction that takes them.
func (w *writer) then(op byte, values ...any) error {
	for _, v := range values {
		if err := w.value(v); err != nil {
			return err
		}
	}
	w.op(op)
	return nil
}

// marked writes values after a mark, and the instruction that takes them all; for no values it writes none.
func (w *writer) marked(none, op byte, values []any) error {
	if len(values) > 0 {
		w.op('(')
		return w.then(op, values...)
	}
	if none != 0 {
		w.op(none)
	}
	return nil
}

func (w *writer) dict(d *Dict) error {
	w.op('}')
	var pairs []any
	for i, key := range d.Keys {
		pairs = append(pairs, key, d.Values[i])
	}
	return w.marked(0, 'u', pairs)
}

func (w *writer) object(o *Object) error {
	if err := w.then('R', o.Class, o.Args); err != nil || o.State == nil {
		return err
	}
	return w.then('b', o.State)
}

func (w *writer) foreign(v any) error {
	if w.other == nil {
		return fmt.Errorf("a %T cannot be written as a pickle", v)
	}
	known, err := w.other(v)
	if err != nil {
		return err
	}
	inner := writer{data: w.data} // what other makes must be of known types
	err = inner.value(known)
	w.data = inner.data
	return err
}
