package model

import (
	"math/rand/v2"
	"strings"

	"easel/engine"
	"easel/engine/kernel"
)

// Random is a source of weights of any shape, for timing a model that one does not have. Each weight has memory of its
// own, as one read from a file would; the numbers repeat from one weight to the next.
type Random struct {
	dtype kernel.DType
	block *kernel.Tensor
	spill spill
	dir   string // of the spill
}

// NewRandom returns normal numbers of deviation 0.02, stored as dtype.
func NewRandom(dtype kernel.DType) *Random {
	g := rand.New(rand.NewPCG(1, 2))
	values := make([]float32, 1<<20)
	for i := range values {
		values[i] = float32(g.NormFloat64() * 0.02)
	}
	return &Random{dtype: dtype, block: kernel.FromF32(values, len(values)).Convert(dtype)}
}

// Tensor implements Weights: ones for norms' weights, zeros for biases, else random.
func (r *Random) Tensor(name string, shape ...int) (*kernel.Tensor, error) {
	var t *kernel.Tensor
	switch n := kernel.Len(shape); {
	case len(shape) == 1 && strings.HasSuffix(name, ".bias"):
		t = kernel.New(kernel.F32, shape...)
	case len(shape) == 1:
		ones := make([]float32, n)
		for i := range ones {
			ones[i] = 1
		}
		t = kernel.FromF32(ones, shape...)
	default:
		t = &kernel.Tensor{Shape: shape, DType: r.dtype}
		if err := r.spill.place(t, r.dir); err != nil {
			return nil, engine.Errorf("make weights", "", engine.OutOfMemory, "%w", err)
		}
		for at := 0; at < len(t.Data); {
			at += copy(t.Data[at:], r.block.Data)
		}
	}
	t.Frozen = true
	t.LetGo()
	return t, nil
}
