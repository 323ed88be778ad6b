package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// maxSteps bounds the instructions of a pickle. A checkpoint with optimizer states takes 300,000.
const maxSteps = 2_000_000

// ErrRefused is wrapped by errors about what a pickle asks for that is not allowed, as against damage.
var ErrRefused = errors.New("refused")

// Persistent makes a value of a persistent id, by which a pickle refers to data outside of it.
type Persistent func(id any) (any, error)

// Read reads the pickle at the beginning of data and says how many bytes it took.
func Read(data []byte, persistent Persistent) (value any, length int, err error) {
	m := &machine{data: data, memo: map[uint32]any{}, persistent: persistent}
	for ; m.steps < maxSteps; m.steps++ {
		at := m.at
		op, err := m.take(1)
		if err != nil {
			return nil, 0, err
		}
		if op[0] == stop {
			value, err := m.pop()
			return value, m.at, err
		}
		instruction := instructions[op[0]]
		if instruction == nil {
			return nil, 0, fmt.Errorf("the instruction 0x%02x at byte %d is none that files of weights use: %w", op[0], at, ErrRefused)
		}
		if err := instruction(m); err != nil {
			return nil, 0, fmt.Errorf("at byte %d: %w", at, err)
		}
	}
	return nil, 0, fmt.Errorf("there are more than %d instructions: %w", maxSteps, ErrRefused)
}

// machine is the state of Python's pickle machine.
type machine struct {
	data       []byte
	at         int
	stack      []any
	memo       map[uint32]any
	persistent Persistent
	steps      int
}

// mark is the place on the stack to which some instructions reach down.
type mark struct{}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

func (m *machine) pop() (any, error) {
	v, err := m.top()
	if err == nil {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return v, err
}

// top is the uppermost value, which must not be a mark.
func (m *machine) top() (any, error) {
	if len(m.stack) == 0 {
		return nil, errors.New("a value is missing")
	}
	v := m.stack[len(m.stack)-1]
	if v == (mark{}) {
		return nil, errors.New("a value is missing")
	}
	return v, nil
}

// popN takes n values, in the order of their pushing. They are the caller's until the next push.
func (m *machine) popN(n int) ([]any, error) {
	if n > len(m.stack) {
		return nil, errors.New("values are missing")
	}
	values := m.stack[len(m.stack)-n:]
	for _, v := range values {
		if v == (mark{}) {
			return nil, errors.New("values are missing")
		}
	}
	m.stack = m.stack[:len(m.stack)-n]
	return values, nil
}

// popMark takes all values above the last mark, and the mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if m.stack[i] == (mark{}) {
			values := m.stack[i+1:]
			m.stack = m.stack[:i]
			return values, nil
		}
	}
	return nil, errors.New("a mark is missing")
}

// take returns the next n bytes, as a view.
func (m *machine) take(n uint64) ([]byte, error) {
	if n > uint64(len(m.data)-m.at) {
		return nil, errors.New("the data ends within an instruction")
	}
	b := m.data[m.at : m.at+int(n)]
	m.at += int(n)
	return b, nil
}

// number reads an unsigned number of size bytes.
func (m *machine) number(size uint64) (uint64, error) {
	b, err := m.take(size)
	if err != nil {
		return 0, err
	}
	var wide [8]byte
	copy(wide[:], b)
	return binary.LittleEndian.Uint64(wide[:]), nil
}

// counted reads a length of size bytes and so many bytes.
func (m *machine) counted(size uint64) ([]byte, error) {
	n, err := m.number(size)
	if err != nil {
		return nil, err
	}
	return m.take(n)
}

// line reads up to a line's end.
func (m *machine) line() (string, error) {
	n := bytes.IndexByte(m.data[m.at:], '\n')
	if n < 0 {
		return "", errors.New("the data ends within a name")
	}
	text := string(m.data[m.at : m.at+n])
	m.at += n + 1
	return text, nil
}
