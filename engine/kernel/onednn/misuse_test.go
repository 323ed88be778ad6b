//go:build cgo && linux && amd64

package onednn_test

import (
	"testing"

	"easel/engine/kernel"
)

// TestMisuseIsAnError: shapes and types that do not fit give an error before C code sees them.
func TestMisuseIsAnError(t *testing.T) {
	b := open(t)
	n := func(shape ...int) *kernel.Tensor { return kernel.New(kernel.F32, shape...) }
	short := n(4, 8)
	short.Data = short.Data[:16]
	half := kernel.New(kernel.BF16, 8, 8)
	one := kernel.Conv{Stride: 1}
	for name, err := range map[string]error{
		"linear of other width":       b.Linear(n(4, 8), n(4, 7), n(8, 8), nil, nil, 1),
		"linear of other rows":        b.Linear(n(4, 8), n(5, 8), n(8, 8), nil, nil, 1),
		"linear with short memory":    b.Linear(short, n(4, 8), n(8, 8), nil, nil, 1),
		"bias of other width":         b.Linear(n(4, 8), n(4, 8), n(8, 8), n(7), nil, 1),
		"gradient in bf16":            b.LinearGradWeight(half, n(4, 8), n(4, 8), 1),
		"convolution of other size":   b.Conv2D(n(1, 4, 4, 8), n(1, 5, 5, 8), n(8, 8, 3, 3), nil, nil, kernel.Conv{Stride: 2}),
		"convolution of stride 0":     b.Conv2D(n(1, 4, 4, 8), n(1, 4, 4, 8), n(8, 8, 1, 1), nil, nil, kernel.Conv{}),
		"convolution of 3 dimensions": b.Conv2D(n(4, 4, 8), n(4, 4, 8), n(8, 8, 1, 1), nil, nil, one),
		"heads that do not divide":    b.Attention(n(1, 4, 8), n(1, 3, 4), n(1, 4, 8), n(1, 4, 8), n(1, 4, 8), 3, false),
		"groups that do not divide":   b.GroupNormStats(n(1, 3, 2), n(1, 4, 8), 3, 1e-5),
		"add of other shape":          b.Add(n(4), n(4), n(5), 1),
		"add with short memory":       b.Add(n(4, 8), short, n(4, 8), 1),
		"slice beyond the end":        b.SliceChannels(n(4, 4), n(4, 8), 5),
		"Huber without parameter":     b.Loss(n(1), n(2, 3), n(2, 3), nil, nil, kernel.Huber),
		"unknown activation":          b.Activate(n(4), n(4), 99),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
