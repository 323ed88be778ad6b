package optim

import (
	"hash/fnv"
	"math"

	"easel/engine/internal/rng"
	"easel/engine/kernel"
)

// RoundBF16 rounds to one of the two nearest bfloat16, up in magnitude with the probability of the part that is cut off:
// the mean over uniformly drawn bits is v itself, so that steps too small for bfloat16 are not lost (stochastic rounding:
// Gupta et al., arXiv 1502.02551). Infinity and NaN stay.
func RoundBF16(v float32, bits uint16) uint16 {
	b := math.Float32bits(v)
	const exponent = 0x7f800000
	if b&exponent == exponent {
		return kernel.F32ToBF16(v)
	}
	if up := b + uint32(bits); up&exponent != exponent {
		return uint16(up >> 16)
	}
	return uint16(b >> 16) // would become infinite
}

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

// piece is how many values are converted at a time; a multiple of the 8-bit optimizer's block and of what Bits draws.
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

// write rounds values into p from an index on. The bits depend on seed, step, name and index alone.
func (r rounder) write(p Param, values []float32, from int) {
	h := fnv.New64a()
	h.Write([]byte(p.Name))
	bits := make([]uint16, len(values))
	rng.Bits(bits, r.seed+h.Sum64(), r.step, rng.Rounding, uint64(from))
	for i, v := range values {
		p.Value.U16()[from+i] = RoundBF16(v, bits[i])
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
