package optim

import (
	"math"

	"easel/engine/kernel"
)

// GradNorm is the Euclidean norm of all gradients together; not finite where one of them is not.
func GradNorm(b kernel.Backend, params []Param) (float64, error) {
	sum := 0.0
	for _, p := range params {
		squares, err := b.SumSquares(p.Grad)
		if err != nil {
			return 0, err
		}
		sum += squares
	}
	return math.Sqrt(sum), nil
}

// ClipScale is the factor that makes the norm of the gradients at most largest: min(1, largest/(norm + 1e-6)), as
// torch's clip_grad_norm_. 0 for largest switches clipping off.
func ClipScale(norm, largest float64) float32 {
	if largest == 0 {
		return 1
	}
	return float32(min(1, largest/(norm+1e-6)))
}
