package graph

import (
	"easel/engine"
)

// Memory is the room in which VMs keep their values. VMs that never run at the same time may share one: a value is
// then good until another of them runs. It grows to what the largest needs, once, and is touched before use.
type Memory struct {
	bytes  []byte
	change int // counts moves
	free   func([]byte)
}

// Size is the number of bytes held.
func (m *Memory) Size() int { return len(m.bytes) }

// Close gives the memory back. Values in it are lost.
func (m *Memory) Close() {
	if m.bytes != nil && m.free != nil {
		m.free(m.bytes)
	}
	m.bytes = nil
	m.change++
}

// grow makes room for n bytes; what was there is lost when it moves.
func (m *Memory) grow(n int) error {
	if n <= len(m.bytes) {
		return nil
	}
	m.Close()
	if free := available(); free > 0 && int64(n) > free {
		return engine.Errorf("take memory", "", engine.OutOfMemory, "one step needs %d MB, and %d MB are free: choose a smaller resolution or batch, or close other programs", n>>20, free>>20)
	}
	b, free, err := allocate(n)
	if err != nil {
		return engine.Errorf("take memory", "", engine.OutOfMemory, "%d MB for one step are not to be had: %w", n>>20, err)
	}
	m.bytes, m.free = b, free
	return nil
}
