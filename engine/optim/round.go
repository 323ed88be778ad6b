package optim

import (
	"hash/fnv"

	"easel/engine/internal/rng"
	"easel/engine/kernel"
)

// rounder gives optimizers float32 values to change, whatever they are stored as.
type rounder struct {
	seed uint64
	step int // of the rounding
}

// rounder counts the steps that round, where some do: BF16 values take other random bits in each.
func (m *memory) rounder(seed uint64, params []Param) (rounder, error) {
	for _, p := range params {
		if p.Value.DType == kernel.BF16 {
			step, err := m.counter("rounding")
			if err != nil {
				return rounder{}, err
			}
			*step++
			return rounder{seed, int(*step)}, nil
		}
	}
	return rounder{}, nil
}

// piece is how many values are converted at a time; a multiple of what Bits draws.
const piece = 1 << 14

// edit calls f with all values of p, from the index from on, to change in place. F32 values come as they lie; others in
// pieces, and are rounded afterwards.
func (r rounder) edit(p Param, f func(values []float32, from int) error) error {
	if p.Value.DType == kernel.F32 {
		return f(p.Value.F32(), 0)
	}
	values := make([]float32, min(piece, p.Value.Len()))
	for from := 0; from < p.Value.Len(); from += piece {
		v := values[:min(piece, p.Value.Len()-from)]
		read(p.Value, v, from)
		if err := f(v, from); err != nil {
			return err
		}
		r.write(p, v, from)
	}
	return nil
}

// read converts the values from an index on.
func read(t *kernel.Tensor, dst []float32, from int) { part(t, from, len(dst)).ReadF32(dst) }

// of names the bits by which p is rounded; they depend on seed, step and name alone.
func (r rounder) of(p Param) kernel.Rounding {
	h := fnv.New64a()
	h.Write([]byte(p.Name))
	return kernel.Rounding{Seed: r.seed + h.Sum64(), Step: r.step}
}

// write rounds values into p from an index on.
func (r rounder) write(p Param, values []float32, from int) {
	bits, of := make([]uint16, len(values)), r.of(p)
	rng.Bits(bits, of.Seed, of.Step, rng.Rounding, uint64(from))
	for i, v := range values {
		p.Value.U16()[from+i] = kernel.RoundBF16(v, bits[i])
	}
}

// part is n elements of t from an index on.
func part(t *kernel.Tensor, from, n int) *kernel.Tensor {
	size := t.DType.Size()
	return &kernel.Tensor{Shape: []int{n}, DType: t.DType, Data: t.Data[from*size : (from+n)*size]}
}

// floats are the values of t: as they lie where they are F32, else a copy.
func floats(t *kernel.Tensor) []float32 {
	if t.DType == kernel.F32 {
		return t.F32()
	}
	return t.Floats()
}
