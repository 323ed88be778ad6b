//go:build cgo && linux && amd64

package onednn_test

import (
	"slices"
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
	negative := &kernel.Tensor{Shape: []int{-1, -4}, Data: make([]byte, 16)}
	one, pad := kernel.Conv{Stride: 1}, kernel.Conv{Stride: 1, Top: 1, Left: 1, Bottom: 1, Right: 1}
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
		"addend with short memory":    b.Linear(n(4, 8), n(4, 8), n(8, 8), nil, short, 1),
		"addend of other shape":       b.LinearGradInput(n(4, 8), n(4, 8), n(8, 8), n(4, 7), 1),
		"bias with short memory":      b.Linear(n(4, 32), n(4, 8), n(32, 8), short, nil, 1),
		"convolution's short addend":  b.Conv2D(n(1, 4, 1, 8), n(1, 4, 1, 8), n(8, 8, 3, 3), nil, short, pad),
		"negative padding":            b.Conv2D(n(1, 3, 4, 2), n(1, 4, 4, 3), n(2, 3, 1, 1), nil, nil, kernel.Conv{Stride: 1, Top: -1}),
		"kernel beyond the picture":   b.Conv2D(n(1, 1, 1, 2), n(1, 4, 4, 3), n(2, 3, 5, 5), nil, nil, kernel.Conv{Stride: 2}),
		"negative dimensions":         b.Add(negative, negative, negative, 1),
		"group norm without gamma":    b.GroupNorm(n(1, 4, 8), n(1, 4, 8), n(1, 2, 2), nil, n(8), 2, false),
		"group norm without beta":     b.GroupNorm(n(1, 4, 8), n(1, 4, 8), n(1, 2, 2), n(8), nil, 2, false),
		"its gradient without gamma":  b.GroupNormGradInput(n(1, 4, 8), n(1, 4, 8), n(1, 2, 2), nil, n(8), n(1, 4, 8), 2, true),
		"its gradient without beta":   b.GroupNormGradParams(n(8), n(8), n(1, 4, 8), n(1, 2, 2), n(8), nil, n(1, 4, 8), 2, true),
		"layer norm without gamma":    b.LayerNorm(n(4, 8), n(4, 8), nil, n(8), 1e-5),
		"its input without gamma":     b.LayerNormGradInput(n(4, 8), n(4, 8), nil, n(4, 8), 1e-5),
		"attention without lse":       b.Attention(n(1, 4, 8), nil, n(1, 4, 8), n(1, 4, 8), n(1, 4, 8), 2, false),
		"timesteps' short memory":     b.TimestepEmbedding(short, n(4)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestNilIsAnError leaves out, in turn, each tensor that a method must have.
func TestNilIsAnError(t *testing.T) {
	b := open(t)
	type ts = []*kernel.Tensor
	n := func(shape ...int) *kernel.Tensor { return kernel.New(kernel.F32, shape...) }
	row, ids, cell := n(1, 4, 8), kernel.New(kernel.I32, 1, 4), kernel.Conv{Stride: 1}
	codes := kernel.New(kernel.I32, kernel.AdamBlock/4)
	pixel, kernel1, channel, stats, lse := n(1, 4, 4, 8), n(8, 8, 1, 1), n(8), n(1, 2, 2), n(1, 2, 4)
	for name, c := range map[string]struct {
		ts  ts
		run func(t ts) error
	}{
		"Conv2D":           {ts{pixel, pixel, kernel1}, func(t ts) error { return b.Conv2D(t[0], t[1], t[2], nil, nil, cell) }},
		"Conv2DGradInput":  {ts{pixel, pixel, kernel1}, func(t ts) error { return b.Conv2DGradInput(t[0], t[1], t[2], cell) }},
		"Conv2DGradWeight": {ts{kernel1, pixel, pixel}, func(t ts) error { return b.Conv2DGradWeight(t[0], t[1], t[2], cell) }},
		"Linear":           {ts{row, row, kernel1}, func(t ts) error { return b.Linear(t[0], t[1], t[2], nil, nil, 1) }},
		"LinearGradInput":  {ts{row, row, kernel1}, func(t ts) error { return b.LinearGradInput(t[0], t[1], t[2], nil, 1) }},
		"LinearGradWeight": {ts{kernel1, row, row}, func(t ts) error { return b.LinearGradWeight(t[0], t[1], t[2], 1) }},
		"SumRows":          {ts{channel, row}, func(t ts) error { return b.SumRows(t[0], t[1]) }},
		"Attention":        {ts{row, lse, row, row, row}, func(t ts) error { return b.Attention(t[0], t[1], t[2], t[3], t[4], 2, false) }},
		"AttentionGrad": {ts{row, row, row, row, row, row, row, lse, row}, func(t ts) error {
			return b.AttentionGrad(t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], 2, false)
		}},
		"GroupNormStats":      {ts{stats, row}, func(t ts) error { return b.GroupNormStats(t[0], t[1], 2, 1) }},
		"GroupNorm":           {ts{row, row, stats, channel, channel}, func(t ts) error { return b.GroupNorm(t[0], t[1], t[2], t[3], t[4], 2, false) }},
		"GroupNormGradInput":  {ts{row, row, stats, channel, channel, row}, func(t ts) error { return b.GroupNormGradInput(t[0], t[1], t[2], t[3], t[4], t[5], 2, true) }},
		"GroupNormGradParams": {ts{channel, channel, row, stats, channel, channel, row}, func(t ts) error { return b.GroupNormGradParams(t[0], t[1], t[2], t[3], t[4], t[5], t[6], 2, true) }},
		"LayerNorm":           {ts{row, row, channel, channel}, func(t ts) error { return b.LayerNorm(t[0], t[1], t[2], t[3], 1) }},
		"LayerNormGradInput":  {ts{row, row, channel, row}, func(t ts) error { return b.LayerNormGradInput(t[0], t[1], t[2], t[3], 1) }},
		"LayerNormGradParams": {ts{channel, channel, row, row}, func(t ts) error { return b.LayerNormGradParams(t[0], t[1], t[2], t[3], 1) }},
		"Activate":            {ts{row, row}, func(t ts) error { return b.Activate(t[0], t[1], kernel.SiLU) }},
		"ActivateGrad":        {ts{row, row, row}, func(t ts) error { return b.ActivateGrad(t[0], t[1], t[2], kernel.SiLU) }},
		"GEGLU":               {ts{n(1, 4), n(1, 8)}, func(t ts) error { return b.GEGLU(t[0], t[1]) }},
		"GEGLUGrad":           {ts{n(1, 8), n(1, 8), n(1, 4)}, func(t ts) error { return b.GEGLUGrad(t[0], t[1], t[2]) }},
		"Add":                 {ts{row, row, row}, func(t ts) error { return b.Add(t[0], t[1], t[2], 1) }},
		"AddChannels":         {ts{row, row, channel}, func(t ts) error { return b.AddChannels(t[0], t[1], t[2]) }},
		"SumPixels":           {ts{channel, row}, func(t ts) error { return b.SumPixels(t[0], t[1]) }},
		"Mul":                 {ts{row, row, row}, func(t ts) error { return b.Mul(t[0], t[1], t[2]) }},
		"Scale":               {ts{row, row}, func(t ts) error { return b.Scale(t[0], t[1], 1) }},
		"Convert":             {ts{row, row}, func(t ts) error { return b.Convert(t[0], t[1]) }},
		"Softmax":             {ts{row, row}, func(t ts) error { return b.Softmax(t[0], t[1]) }},
		"SoftmaxGrad":         {ts{row, row, row}, func(t ts) error { return b.SoftmaxGrad(t[0], t[1], t[2]) }},
		"Concat":              {ts{n(4, 16), n(4, 8), n(4, 8)}, func(t ts) error { return b.Concat(t[0], t[1], t[2]) }},
		"SliceChannels":       {ts{n(4, 4), n(4, 8)}, func(t ts) error { return b.SliceChannels(t[0], t[1], 2) }},
		"UpsampleNearest":     {ts{pixel, pixel}, func(t ts) error { return b.UpsampleNearest(t[0], t[1]) }},
		"UpsampleNearestGrad": {ts{pixel, pixel}, func(t ts) error { return b.UpsampleNearestGrad(t[0], t[1]) }},
		"TimestepEmbedding":   {ts{n(4, 8), n(4)}, func(t ts) error { return b.TimestepEmbedding(t[0], t[1]) }},
		"Embedding":           {ts{row, ids, n(3, 8)}, func(t ts) error { return b.Embedding(t[0], t[1], t[2], 0) }},
		"EmbeddingGrad":       {ts{n(3, 8), ids, row}, func(t ts) error { return b.EmbeddingGrad(t[0], t[1], t[2], 0) }},
		"Loss":                {ts{n(1), row, row}, func(t ts) error { return b.Loss(t[0], t[1], t[2], nil, nil, kernel.MSE) }},
		"LossGrad":            {ts{row, row, row}, func(t ts) error { return b.LossGrad(t[0], t[1], t[2], nil, nil, kernel.MSE) }},
		"Adam":                {ts{row, row, row, row}, func(t ts) error { return b.Adam(t[0], t[1], t[2], t[3], kernel.AdamStep{Step: 1}) }},
		"Adam8": {ts{row, row, codes, codes, n(1), n(1)}, func(t ts) error {
			return b.Adam8(t[0], t[1], t[2], t[3], t[4], t[5], kernel.AdamStep{Step: 1})
		}},
		"SumSquares": {ts{row}, func(t ts) error { _, err := b.SumSquares(t[0]); return err }},
	} {
		if err := c.run(c.ts); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range c.ts {
			some := slices.Clone(c.ts)
			some[i] = nil
			if c.run(some) == nil {
				t.Errorf("%s without tensor %d: no error", name, i)
			}
		}
	}
}
