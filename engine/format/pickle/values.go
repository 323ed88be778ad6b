// Package pickle reads Python's pickles as plain data. It executes nothing: a pickle is a program for a small stack
// machine, and the instructions that would call a Python function make an inert Object here instead. Functions and
// classes that PyTorch's files of weights do not use are refused by name, and so are all other instructions.
//
// What a pickle makes of memory is bounded by its length: an instruction makes at most one small value, strings are
// no longer than their text, and the number of instructions is limited.
package pickle

// Values are nil, bool, int64, float64, string, []byte, Long, Tuple, *List, *Dict, Global, *Object, and what the reader
// of persistent ids returns.

// Long is an integer that does not fit in an int64, in two's complement, little-endian.
type Long string

// Tuple is a Python tuple.
type Tuple []any

// List is a Python list or set.
type List struct{ Items []any }

// Global is a Python function or class by name.
type Global struct{ Module, Name string }

// String gives "module.name".
func (g Global) String() string { return g.Module + "." + g.Name }

// Object is what calling a Global with arguments would have made.
type Object struct {
	Class Global
	Args  Tuple
	State any // what it was built with; nil where nothing
}

// Dict is a Python dictionary in the order of its insertions.
type Dict struct {
	Keys, Values []any
	index        map[any]int
}

// Get returns the value of a text key.
func (d *Dict) Get(key string) (any, bool) {
	i, ok := d.index[key]
	if !ok {
		return nil, false
	}
	return d.Values[i], true
}

// Set adds a key with its value, or replaces the value of a key that is there already, as Python does for keys that compare equal.
func (d *Dict) Set(key, value any) {
	switch key.(type) {
	case string, int64, Global:
		if i, ok := d.index[key]; ok {
			d.Values[i] = value
			return
		}
		if d.index == nil {
			d.index = map[any]int{}
		}
		d.index[key] = len(d.Keys)
	}
	d.Keys, d.Values = append(d.Keys, key), append(d.Values, value)
}
