// Package kerneltest compares a kernel.Backend with the reference backend on ragged shapes: sizes that are no
// multiple of a vector, pictures of one pixel, one token, odd heads, every mixture of storage types.
//
// The values are random but the same in every run. Results start as NaN, so that one left unwritten shows; arguments
// that a method only reads are checked to be unchanged.
package kerneltest

import (
	"slices"
	"testing"

	"easel/engine/kernel"
	"easel/engine/kernel/ref"
)

type (
	tensor  = kernel.Tensor
	backend = kernel.Backend
)

// Options says what a backend can do.
type Options struct {
	// Types are the storage types that the backend computes with; nil stands for F32, BF16 and F16. F16 is tried
	// for frozen weights only.
	Types []kernel.DType
}

// types is a mixture of storage types: of what a method reads, of what it writes, and of weights.
type types struct{ x, y, w kernel.DType }

func (m types) String() string { return m.x.String() + "-" + m.y.String() + "-" + m.w.String() }

var mixtures = []types{
	{kernel.F32, kernel.F32, kernel.F32},
	{kernel.BF16, kernel.BF16, kernel.BF16},
	{kernel.BF16, kernel.BF16, kernel.F32},
	{kernel.F32, kernel.F32, kernel.BF16},
	{kernel.F32, kernel.BF16, kernel.F32},
	{kernel.BF16, kernel.F32, kernel.BF16},
	{kernel.F32, kernel.F32, kernel.F16},
	{kernel.BF16, kernel.BF16, kernel.F16},
}

// families makes the calls of each family of methods for a mixture of types.
var families = []struct {
	name  string
	calls func(types) []call
}{
	{"conv", convCalls},
	{"linear", linearCalls},
	{"attention", attentionCalls},
	{"groupnorm", groupNormCalls},
	{"layernorm", layerNormCalls},
	{"activation", activationCalls},
	{"elementwise", elementwiseCalls},
	{"shape", shapeCalls},
	{"embedding", embeddingCalls},
	{"loss", lossCalls},
}

// Run compares every method of b with the reference backend, in sub-tests by family, types and case.
func Run(t *testing.T, b kernel.Backend, opt Options) {
	oracle := ref.New()
	for _, family := range families {
		for _, m := range mixtures {
			if !opt.computes(m) {
				continue
			}
			t.Run(family.name+"/"+m.String(), func(t *testing.T) {
				for _, c := range family.calls(m) {
					if err := c.check(b, oracle); err != nil {
						t.Errorf("%s: %v", c.name, err)
					}
				}
			})
		}
	}
	t.Run("packed", func(t *testing.T) { runPacked(t, b, oracle, opt) })
	t.Run("adam", func(t *testing.T) { runAdam(t, b, oracle, opt) })
	t.Run("adam8", func(t *testing.T) { runAdam8(t, b, oracle, opt) })
	t.Run("sumsquares", func(t *testing.T) { runSumSquares(t, b, opt) })
}

func (o Options) computes(m types) bool {
	for _, dt := range []kernel.DType{m.x, m.y, m.w} {
		if o.Types != nil && !slices.Contains(o.Types, dt) {
			return false
		}
	}
	return true
}
