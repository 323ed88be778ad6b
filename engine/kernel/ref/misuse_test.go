package ref_test

import (
	"testing"

	"easel/engine"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
)

// TestMisuseIsAnInternalError calls every method with tensors that do not fit.
func TestMisuseIsAnInternalError(t *testing.T) {
	b := ref.New()
	f := func(shape ...int) *kernel.Tensor { return kernel.New(kernel.F32, shape...) }
	bf := func(shape ...int) *kernel.Tensor { return kernel.New(kernel.BF16, shape...) }
	ids := func(shape ...int) *kernel.Tensor { return kernel.New(kernel.I32, shape...) }
	short := &kernel.Tensor{Shape: []int{4, 4}, Data: make([]byte, 60)}
	negative := &kernel.Tensor{Shape: []int{-1, -4}, Data: make([]byte, 16)}
	one := kernel.Conv{Stride: 1}
	step := kernel.AdamStep{Step: 1}
	squares := func(x *kernel.Tensor) error { _, err := b.SumSquares(x); return err }
	for name, err := range map[string]error{
		"Conv2D stride 0":          b.Conv2D(f(1, 4, 4, 2), f(1, 4, 4, 3), f(2, 3, 1, 1), nil, nil, kernel.Conv{}),
		"Conv2D negative padding":  b.Conv2D(f(1, 3, 4, 2), f(1, 4, 4, 3), f(2, 3, 1, 1), nil, nil, kernel.Conv{Stride: 1, Top: -1}),
		"Conv2D kernel too large":  b.Conv2D(f(1, 1, 1, 2), f(1, 4, 4, 3), f(2, 3, 5, 5), nil, nil, kernel.Conv{Stride: 2}),
		"Conv2D channels":          b.Conv2D(f(1, 4, 4, 2), f(1, 4, 4, 4), f(2, 3, 1, 1), nil, nil, one),
		"Conv2D output":            b.Conv2D(f(1, 4, 5, 2), f(1, 4, 4, 3), f(2, 3, 1, 1), nil, nil, one),
		"Conv2D bias":              b.Conv2D(f(1, 4, 4, 2), f(1, 4, 4, 3), f(2, 3, 1, 1), f(3), nil, one),
		"Conv2D add":               b.Conv2D(f(1, 4, 4, 2), f(1, 4, 4, 3), f(2, 3, 1, 1), nil, f(1, 4, 4, 1), one),
		"Conv2D rank":              b.Conv2D(f(4, 4, 2), f(4, 4, 3), f(2, 3, 1, 1), nil, nil, one),
		"Conv2DGradInput batch":    b.Conv2DGradInput(f(2, 4, 4, 3), f(1, 4, 4, 2), f(2, 3, 1, 1), one),
		"Conv2DGradWeight type":    b.Conv2DGradWeight(bf(2, 3, 1, 1), f(1, 4, 4, 3), f(1, 4, 4, 2), one),
		"Linear nil":               b.Linear(f(2, 3), nil, f(3, 4), nil, nil, 1),
		"Linear width":             b.Linear(f(2, 3), f(2, 5), f(3, 4), nil, nil, 1),
		"Linear rows":              b.Linear(f(2, 3), f(3, 4), f(3, 4), nil, nil, 1),
		"Linear short data":        b.Linear(f(4, 3), short, f(3, 4), nil, nil, 1),
		"Linear negative":          b.Linear(f(1, 3), negative, f(3, 4), nil, nil, 1),
		"Linear ids":               b.Linear(f(2, 3), ids(2, 4), f(3, 4), nil, nil, 1),
		"Linear scalar":            b.Linear(f(), f(), f(1, 1), nil, nil, 1),
		"LinearGradInput add":      b.LinearGradInput(f(2, 4), f(2, 3), f(3, 4), f(2, 3), 1),
		"LinearGradWeight rows":    b.LinearGradWeight(f(3, 4), f(2, 4), f(5, 3), 1),
		"SumRows":                  b.SumRows(f(4), f(2, 3)),
		"Attention heads":          b.Attention(f(1, 2, 6), f(1, 4, 2), f(1, 2, 6), f(1, 3, 6), f(1, 3, 6), 4, false),
		"Attention no heads":       b.Attention(f(1, 2, 6), f(1, 0, 2), f(1, 2, 6), f(1, 3, 6), f(1, 3, 6), 0, false),
		"Attention no keys":        b.Attention(f(1, 2, 6), f(1, 2, 2), f(1, 2, 6), f(1, 0, 6), f(1, 0, 6), 2, false),
		"Attention lse":            b.Attention(f(1, 2, 6), f(1, 2, 3), f(1, 2, 6), f(1, 3, 6), f(1, 3, 6), 2, false),
		"AttentionGrad dv":         b.AttentionGrad(f(1, 2, 6), f(1, 3, 6), f(1, 2, 6), f(1, 2, 6), f(1, 3, 6), f(1, 3, 6), f(1, 2, 6), f(1, 2, 2), f(1, 2, 6), 2, false),
		"GroupNormStats groups":    b.GroupNormStats(f(1, 4, 2), f(1, 5, 6), 4, 1),
		"GroupNormStats zero":      b.GroupNormStats(f(1, 0, 2), f(1, 5, 6), 0, 1),
		"GroupNormStats shape":     b.GroupNormStats(f(1, 3, 1), f(1, 5, 6), 3, 1),
		"GroupNorm gamma":          b.GroupNorm(f(1, 5, 6), f(1, 5, 6), f(1, 3, 2), f(5), f(6), 3, false),
		"GroupNormGradInput dy":    b.GroupNormGradInput(f(1, 5, 6), f(1, 5, 6), f(1, 3, 2), f(6), f(6), f(1, 4, 6), 3, false),
		"GroupNormGradParams":      b.GroupNormGradParams(f(5), f(6), f(1, 5, 6), f(1, 3, 2), f(6), f(6), f(1, 5, 6), 3, false),
		"LayerNorm":                b.LayerNorm(f(2, 3), f(2, 3), f(2), f(3), 1),
		"LayerNormGradInput":       b.LayerNormGradInput(f(2, 3), f(2, 4), f(3), f(2, 3), 1),
		"LayerNormGradParams type": b.LayerNormGradParams(bf(3), f(3), f(2, 3), f(2, 3), 1),
		"Activate shape":           b.Activate(f(2), f(3), kernel.SiLU),
		"Activate function":        b.Activate(f(2), f(2), kernel.Mish+1),
		"ActivateGrad function":    b.ActivateGrad(f(2), f(2), f(2), 255),
		"GEGLU":                    b.GEGLU(f(2, 3), f(2, 5)),
		"GEGLUGrad":                b.GEGLUGrad(f(2, 5), f(2, 6), f(2, 3)),
		"Add":                      b.Add(f(2), f(2), f(1), 1),
		"Mul":                      b.Mul(f(2), f(1), f(2)),
		"Scale":                    b.Scale(f(2), nil, 1),
		"Convert":                  b.Convert(f(2), bf(3)),
		"AddChannels":              b.AddChannels(f(2, 3, 4), f(2, 3, 4), f(3, 4)),
		"SumPixels":                b.SumPixels(f(3, 4), f(2, 3, 4)),
		"Softmax":                  b.Softmax(f(2), f(3)),
		"SoftmaxGrad":              b.SoftmaxGrad(f(2), f(3), f(2)),
		"Concat":                   b.Concat(f(2, 5), f(2, 3), f(2, 3)),
		"SliceChannels beyond":     b.SliceChannels(f(2, 3), f(2, 5), 3),
		"SliceChannels negative":   b.SliceChannels(f(2, 3), f(2, 5), -1),
		"UpsampleNearest":          b.UpsampleNearest(f(1, 4, 4, 2), f(1, 2, 2, 3)),
		"UpsampleNearest empty":    b.UpsampleNearest(f(1, 4, 4, 2), f(1, 0, 2, 2)),
		"UpsampleNearestGrad":      b.UpsampleNearestGrad(f(2, 2, 2), f(4, 4, 2)),
		"TimestepEmbedding odd":    b.TimestepEmbedding(f(2, 5), f(2)),
		"TimestepEmbedding batch":  b.TimestepEmbedding(f(2, 4), f(3)),
		"Embedding ids type":       b.Embedding(f(2, 3), f(2), f(5, 3), 0),
		"Embedding rank":           b.Embedding(f(2, 3), ids(2), f(3), 0),
		"EmbeddingGrad":            b.EmbeddingGrad(f(5, 3), ids(2), f(2, 4), 0),
		"Loss kind":                b.Loss(f(1), f(2, 3), f(2, 3), nil, f(2), kernel.SmoothL1+1),
		"Loss lacks c":             b.Loss(f(1), f(2, 3), f(2, 3), nil, nil, kernel.Huber),
		"Loss weight":              b.Loss(f(1), f(2, 3), f(2, 3), f(3), nil, kernel.MSE),
		"Loss out":                 b.Loss(f(2), f(2, 3), f(2, 3), nil, nil, kernel.MSE),
		"Loss of nothing":          b.Loss(f(1), f(0, 3), f(0, 3), nil, nil, kernel.MSE),
		"LossGrad":                 b.LossGrad(f(2, 2), f(2, 3), f(2, 3), nil, nil, kernel.MSE),
		"Adam shapes":              b.Adam(f(2), f(3), f(2), f(2), step),
		"Adam type":                b.Adam(kernel.New(kernel.F16, 2), f(2), f(2), f(2), step),
		"Adam gradient":            b.Adam(bf(2), bf(2), f(2), f(2), step),
		"Adam step 0":              b.Adam(f(2), f(2), f(2), f(2), kernel.AdamStep{}),
		"Adam8 codes":              b.Adam8(f(2), f(2), ids(64), ids(63), f(1), f(1), step),
		"Adam8 codes' type":        b.Adam8(f(2), f(2), f(64), ids(64), f(1), f(1), step),
		"Adam8 scales":             b.Adam8(f(257), f(257), ids(128), ids(128), f(2), f(1), step),
		"Adam8 step 0":             b.Adam8(f(2), f(2), ids(64), ids(64), f(1), f(1), kernel.AdamStep{}),
		"SumSquares":               squares(ids(2)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if e, ok := err.(*engine.Error); !ok || e.Kind != engine.Internal {
			t.Errorf("%s: %v is not an internal *engine.Error", name, err)
		}
	}
}

// TestNothingToDoIsNoMistake covers the empty tensors that a batch of none gives.
func TestNothingToDoIsNoMistake(t *testing.T) {
	b := ref.New()
	f := func(shape ...int) *kernel.Tensor { return kernel.New(kernel.F32, shape...) }
	for name, err := range map[string]error{
		"Linear":      b.Linear(f(0, 3), f(0, 4), f(3, 4), f(3), nil, 1),
		"Conv2D":      b.Conv2D(f(0, 4, 4, 2), f(0, 4, 4, 3), f(2, 3, 1, 1), f(2), nil, kernel.Conv{Stride: 1}),
		"Add":         b.Add(f(0), f(0), f(0), 1),
		"AddChannels": b.AddChannels(f(0, 3, 4), f(0, 3, 4), f(0, 4)),
		"Concat":      b.Concat(f(0, 7), f(0, 3), f(0, 4)),
		"Concat none": b.Concat(f(2, 3), f(2, 3), f(2, 0)),
		"LayerNorm":   b.LayerNorm(f(0, 3), f(0, 3), f(3), f(3), 1),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	dw := f(3, 4)
	dw.F32()[5] = 1
	if err := b.LinearGradWeight(dw, f(0, 4), f(0, 3), 1); err != nil || dw.F32()[5] != 0 {
		t.Errorf("LinearGradWeight of no rows: %v, %v", err, dw.F32())
	}
}
