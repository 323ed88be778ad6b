package optim

import (
	"encoding/binary"
	"math"
	"slices"

	"easel/engine"
	"easel/engine/kernel"
)

// State is one named tensor of an optimizer's or average's memory: F32, or I32 for counters ([1]) and the bits of
// float64 numbers ([2], low half first). "step" and the like belong to the whole; "<parameter>/m" and the like to
// a parameter.
type State struct {
	Name   string
	Tensor *kernel.Tensor
}

// memory is the named tensors, in the order of their first use.
type memory struct {
	states   []State
	index    map[string]int
	restored bool // from then on every tensor must be there: a missing one would silently start from zero
}

// State lists the live tensors.
func (m *memory) State() []State { return slices.Clone(m.states) }

// Restore replaces all tensors by copies of those given. A name that occurs twice is engine.BadFile.
func (m *memory) Restore(states []State) error {
	fresh := memory{index: map[string]int{}, restored: true}
	for _, s := range states {
		if _, twice := fresh.index[s.Name]; twice {
			return badState("%s is there twice", s.Name)
		}
		fresh.add(State{s.Name, s.Tensor.Clone()})
	}
	*m = fresh
	return nil
}

func (m *memory) add(s State) {
	if m.index == nil {
		m.index = map[string]int{}
	}
	m.index[s.Name] = len(m.states)
	m.states = append(m.states, s)
}

// tensor finds the tensor of that name, or makes it of zeros; made says which.
func (m *memory) tensor(name string, dt kernel.DType, shape ...int) (t *kernel.Tensor, made bool, err error) {
	i, ok := m.index[name]
	if !ok && m.restored {
		return nil, false, badState("%s is missing", name)
	}
	if !ok {
		t = kernel.New(dt, shape...)
		m.add(State{name, t})
		return t, true, nil
	}
	t = m.states[i].Tensor
	if t.DType != dt || !slices.Equal(t.Shape, shape) {
		return nil, false, badState("%s is %v %v and should be %v %v", name, t.DType, t.Shape, dt, shape)
	}
	return t, false, nil
}

// moment finds a running mean of a parameter, which starts from zeros.
func (m *memory) moment(p Param, suffix string) ([]float32, error) {
	t, _, err := m.tensor(p.Name+"/"+suffix, kernel.F32, p.Value.Shape...)
	if err != nil {
		return nil, err
	}
	return t.F32(), nil
}

// counter finds a whole number, which starts from 0.
func (m *memory) counter(name string) (*int32, error) {
	t, _, err := m.tensor(name, kernel.I32, 1)
	if err != nil {
		return nil, err
	}
	return &t.I32()[0], nil
}

// number is a float64 kept bit by bit.
type number struct{ bits []byte }

// number finds a float64, which starts from initial.
func (m *memory) number(name string, initial float64) (number, error) {
	t, made, err := m.tensor(name, kernel.I32, 2)
	if err != nil {
		return number{}, err
	}
	n := number{t.Data}
	if made {
		n.set(initial)
	}
	return n, nil
}

func (n number) get() float64  { return math.Float64frombits(binary.LittleEndian.Uint64(n.bits)) }
func (n number) set(v float64) { binary.LittleEndian.PutUint64(n.bits, math.Float64bits(v)) }

func badState(format string, args ...any) error {
	return engine.Errorf("restore the optimizer", "", engine.BadFile, format, args...)
}
