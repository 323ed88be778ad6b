package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

const stop = '.'

// instructions are those that occur in files of weights (formats.md 10.2), by their codes in Python's pickletools.
var instructions = [256]func(m *machine) error{
	0x80: func(m *machine) error { _, err := m.take(1); return err },                // PROTO
	0x95: func(m *machine) error { _, err := m.take(8); return err },                // FRAME
	'(':  value(func() any { return mark{} }),                                       // MARK
	'}':  value(func() any { return &Dict{} }),                                      // EMPTY_DICT
	']':  value(func() any { return &List{} }),                                      // EMPTY_LIST
	')':  value(func() any { return Tuple(nil) }),                                   // EMPTY_TUPLE
	0x8f: value(func() any { return &List{} }),                                      // EMPTY_SET
	'N':  value(func() any { return nil }),                                          // NONE
	0x88: value(func() any { return true }),                                         // NEWTRUE
	0x89: value(func() any { return false }),                                        // NEWFALSE
	'X':  counted(4, func(b []byte) any { return string(b) }),                       // BINUNICODE
	0x8c: counted(1, func(b []byte) any { return string(b) }),                       // SHORT_BINUNICODE
	'T':  counted(4, func(b []byte) any { return string(b) }),                       // BINSTRING
	'U':  counted(1, func(b []byte) any { return string(b) }),                       // SHORT_BINSTRING
	'B':  counted(4, func(b []byte) any { return slices.Clone(b) }),                 // BINBYTES
	'C':  counted(1, func(b []byte) any { return slices.Clone(b) }),                 // SHORT_BINBYTES
	'J':  number(4, func(n uint64) any { return int64(int32(n)) }),                  // BININT
	'K':  number(1, func(n uint64) any { return int64(n) }),                         // BININT1
	'M':  number(2, func(n uint64) any { return int64(n) }),                         // BININT2
	0x8a: counted(1, long),                                                          // LONG1
	'G':  func(m *machine) error { return m.float() },                               // BINFLOAT
	't':  func(m *machine) error { v, err := m.popMark(); return m.tuple(v, err) },  // TUPLE
	0x85: func(m *machine) error { v, err := m.popN(1); return m.tuple(v, err) },    // TUPLE1
	0x86: func(m *machine) error { v, err := m.popN(2); return m.tuple(v, err) },    // TUPLE2
	0x87: func(m *machine) error { v, err := m.popN(3); return m.tuple(v, err) },    // TUPLE3
	'a':  func(m *machine) error { v, err := m.popN(1); return m.extend(v, err) },   // APPEND
	'e':  func(m *machine) error { v, err := m.popMark(); return m.extend(v, err) }, // APPENDS
	0x90: func(m *machine) error { v, err := m.popMark(); return m.extend(v, err) }, // ADDITEMS
	's':  func(m *machine) error { v, err := m.popN(2); return m.update(v, err) },   // SETITEM
	'u':  func(m *machine) error { v, err := m.popMark(); return m.update(v, err) }, // SETITEMS
	'q':  func(m *machine) error { return m.put(1) },                                // BINPUT
	'r':  func(m *machine) error { return m.put(4) },                                // LONG_BINPUT
	0x94: func(m *machine) error { return m.remember(uint32(len(m.memo))) },         // MEMOIZE
	'h':  func(m *machine) error { return m.get(1) },                                // BINGET
	'j':  func(m *machine) error { return m.get(4) },                                // LONG_BINGET
	'c':  func(m *machine) error { return m.global() },                              // GLOBAL
	0x93: func(m *machine) error { return m.stackGlobal() },                         // STACK_GLOBAL
	'R':  func(m *machine) error { return m.call() },                                // REDUCE
	0x81: func(m *machine) error { return m.call() },                                // NEWOBJ
	'b':  func(m *machine) error { return m.build() },                               // BUILD
	'Q':  func(m *machine) error { return m.persist() },                             // BINPERSID
}

func value(make func() any) func(m *machine) error {
	return func(m *machine) error { m.push(make()); return nil }
}

func counted(size uint64, make func(b []byte) any) func(m *machine) error {
	return func(m *machine) error {
		b, err := m.counted(size)
		if err == nil {
			m.push(make(b))
		}
		return err
	}
}

func number(size uint64, make func(n uint64) any) func(m *machine) error {
	return func(m *machine) error {
		n, err := m.number(size)
		if err == nil {
			m.push(make(n))
		}
		return err
	}
}

// long is an integer in two's complement.
func long(b []byte) any {
	if len(b) > 8 {
		return Long(b)
	}
	if len(b) == 0 {
		return int64(0)
	}
	wide := [8]byte{}
	if b[len(b)-1]&0x80 != 0 {
		wide = [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	}
	copy(wide[:], b)
	return int64(binary.LittleEndian.Uint64(wide[:]))
}

func (m *machine) float() error {
	b, err := m.take(8)
	if err == nil {
		m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	}
	return err
}

func (m *machine) tuple(values []any, err error) error {
	if err == nil {
		m.push(Tuple(slices.Clone(values)))
	}
	return err
}

// extend adds values to the list below them.
func (m *machine) extend(values []any, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	list, ok := v.(*List)
	if !ok {
		return fmt.Errorf("a value is added to a %T", v)
	}
	list.Items = append(list.Items, values...)
	return nil
}

// update sets keys and values, one after the other, in the dictionary below them. Those of an Object are dropped.
func (m *machine) update(pairs []any, err error) error {
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	switch d := v.(type) {
	case *Object:
		return nil
	case *Dict:
		if len(pairs)%2 != 0 {
			return errors.New("a key has no value")
		}
		for i := 0; i < len(pairs); i += 2 {
			d.Set(pairs[i], pairs[i+1])
		}
		return nil
	}
	return fmt.Errorf("a key is set in a %T", v)
}

func (m *machine) put(size uint64) error {
	n, err := m.number(size)
	if err != nil {
		return err
	}
	return m.remember(uint32(n))
}

func (m *machine) remember(key uint32) error {
	v, err := m.top()
	if err == nil {
		m.memo[key] = v
	}
	return err
}

func (m *machine) get(size uint64) error {
	n, err := m.number(size)
	if err != nil {
		return err
	}
	v, ok := m.memo[uint32(n)]
	if !ok {
		return fmt.Errorf("value %d was not kept", n)
	}
	m.push(v)
	return nil
}

func (m *machine) global() error {
	module, err := m.line()
	if err != nil {
		return err
	}
	name, err := m.line()
	if err != nil {
		return err
	}
	return m.admit(Global{module, name})
}

func (m *machine) stackGlobal() error {
	v, err := m.popN(2)
	if err != nil {
		return err
	}
	module, ok1 := v[0].(string)
	name, ok2 := v[1].(string)
	if !ok1 || !ok2 {
		return errors.New("a name is no text")
	}
	return m.admit(Global{module, name})
}

// admit pushes a global that is allowed.
func (m *machine) admit(g Global) error {
	if !isAllowed(g) {
		return fmt.Errorf("it asks for %.80q, which weights do not need: %w", g.String(), ErrRefused)
	}
	m.push(g)
	return nil
}

func (m *machine) call() error {
	v, err := m.popN(2)
	if err != nil {
		return err
	}
	g, ok1 := v[0].(Global)
	args, ok2 := v[1].(Tuple)
	if !ok1 || !ok2 {
		return fmt.Errorf("a %T is called with a %T", v[0], v[1])
	}
	made, steps := call(g, args)
	m.steps += steps
	m.push(made)
	return nil
}

// build gives an Object its state. What a dictionary gets are attributes, such as a state_dict's _metadata: dropped.
func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	v, err := m.top()
	if err != nil {
		return err
	}
	switch o := v.(type) {
	case *Object:
		o.State = state
	case *Dict, *List:
	default:
		return fmt.Errorf("a %T is given a state", v)
	}
	return nil
}

func (m *machine) persist() error {
	id, err := m.pop()
	if err != nil {
		return err
	}
	if m.persistent == nil {
		return errors.New("it refers to data outside of it")
	}
	v, err := m.persistent(id)
	if err == nil {
		m.push(v)
	}
	return err
}
