package kerneltest

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"easel/engine/kernel"
)

// runAdam takes several steps, with momentum from step to step.
func runAdam(t *testing.T, b, oracle backend, opt Options) {
	for _, dt := range parameterTypes(opt) {
		for _, n := range []int{1, 7, 64, 1031, 5000} {
			s := newSource("adam")
			p, m, v := s.normal(1, dt, n), kernel.New(kernel.F32, n), kernel.New(kernel.F32, n)
			c := call{
				results: []*tensor{p, m, v}, inputs: []*tensor{s.normal(1, kernel.F32, n), s.normal(1e-6, kernel.F32, n), s.normal(1, kernel.F32, n)},
				steps: 3, // each step rounds p, by less than twice as much as to nearest
				run: func(b backend, r, in []*tensor) error {
					for i, g := range in {
						if err := b.Adam(r[0], g, r[1], r[2], adamStep(i+1)); err != nil {
							return err
						}
					}
					return nil
				},
			}
			if err := c.check(b, oracle); err != nil {
				t.Errorf("%d %v parameters: %v", n, dt, err)
			}
		}
	}
}

// runAdam8 takes steps over blocks of very different numbers, whole and not: backends agree bit for bit.
func runAdam8(t *testing.T, b, oracle backend, opt Options) {
	for _, dt := range parameterTypes(opt) {
		for _, n := range []int{1, 7, 255, 256, 257, 4399, 20000} {
			want, got := newAdam8(dt, n), newAdam8(dt, n)
			for step := range 6 {
				g := unevenGradient(n, step)
				for _, side := range []struct {
					b     backend
					state adam8
				}{{oracle, want}, {b, got}} {
					if err := side.state.step(side.b, g, adamStep(step+1)); err != nil {
						t.Fatal(err)
					}
				}
				for i, name := range []string{"p", "m", "v", "m's scale", "v's scale"} {
					if at := firstDifference(got[i], want[i]); at >= 0 {
						t.Fatalf("%d %v parameters, step %d: %s differs from byte %d on", n, dt, step+1, name, at)
					}
				}
			}
		}
	}
}

// adam8 is a parameter, and the codes and scales of its moments.
type adam8 [5]*tensor

func newAdam8(dt kernel.DType, n int) adam8 {
	blocks := kernel.AdamBlocks(n)
	codes := func() *tensor { return kernel.New(kernel.I32, blocks*kernel.AdamBlock/4) }
	scales := func() *tensor { return kernel.New(kernel.F32, blocks) }
	return adam8{newSource("adam8").normal(1, dt, n), codes(), codes(), scales(), scales()}
}

func (s adam8) step(b backend, g *tensor, h kernel.AdamStep) error {
	return b.Adam8(s[0], g, s[1], s[2], s[3], s[4], h)
}

func adamStep(step int) kernel.AdamStep {
	return kernel.AdamStep{Rate: 1e-2, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.1, Step: step, GradScale: 0.5,
		Rounding: kernel.Rounding{Seed: 5, Step: step}}
}

// unevenGradient holds numbers of very different size, zeros, and a block of nothing else.
func unevenGradient(n, step int) *tensor {
	g := newSource(fmt.Sprint("adam8 gradient ", step)).normal(1, kernel.F32, n)
	for i := range g.F32() {
		switch block := i / kernel.AdamBlock; {
		case block == 1 || i%19 == 0:
			g.F32()[i] = 0
		default:
			g.F32()[i] *= float32(math.Exp(float64(i%23) - 15 - float64(block%7)))
		}
	}
	return g
}

// firstDifference is where two tensors differ, -1 where they do not.
func firstDifference(a, b *tensor) int {
	if bytes.Equal(a.Data, b.Data) {
		return -1
	}
	at := 0
	for a.Data[at] == b.Data[at] {
		at++
	}
	return at
}

func parameterTypes(opt Options) []kernel.DType {
	if opt.computes(types{kernel.BF16, kernel.BF16, kernel.BF16}) {
		return []kernel.DType{kernel.F32, kernel.BF16}
	}
	return []kernel.DType{kernel.F32}
}
