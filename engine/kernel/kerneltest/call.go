package kerneltest

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"easel/engine/kernel"
)

// call is one method with its arguments. A tensor may be both a result and an input.
type call struct {
	name    string
	results []*tensor
	inputs  []*tensor // with nil for optional ones left out
	weight  *tensor   // the input that may be frozen; nil where there is none
	// steps is how many bfloat16 roundings the method may do inside where any of its tensors is BF16; the
	// rounding of a BF16 result comes on top. Products may round an operand to bfloat16, others nothing.
	steps float64
	// scale is the usual size of the results: the bound is relative to the larger of it and the largest value, as
	// few results may happen to be small although their terms are not.
	scale float64
	run   func(b backend, r, in []*tensor) error
}

// check runs the call on b and on the oracle, and returns what is wrong with b's results. A weight is tried
// unfrozen, with a change between two runs that must show, and frozen, where the second run may use a packed copy.
func (c call) check(b, oracle backend) error {
	if c.weight == nil {
		return c.compare(b, oracle, nil)
	}
	if c.weight.DType != kernel.F16 {
		if err := c.compare(b, oracle, halveNegated); err != nil {
			return fmt.Errorf("unfrozen weight: %w", err)
		}
	}
	c.weight.Frozen = true
	defer func() { c.weight.Frozen = false }()
	if err := c.compare(b, oracle, func(*tensor) {}); err != nil {
		return fmt.Errorf("frozen weight: %w", err)
	}
	return nil
}

// halveNegated changes a tensor in place, exactly in every type.
func halveNegated(t *tensor) {
	v := t.Floats()
	for i := range v {
		v[i] *= -0.5
	}
	t.WriteF32(v)
}

// compare runs once, and where change is given, once more after it was applied to the weight.
func (c call) compare(b, oracle backend, change func(weight *tensor)) error {
	tried, expected := c.copied(false), c.copied(true)
	if err := c.compareOnce(b, oracle, tried, expected); err != nil || change == nil {
		return err
	}
	change(tried.weight)
	change(expected.weight)
	if err := c.compareOnce(b, oracle, tried, expected); err != nil {
		return fmt.Errorf("second run: %w", err)
	}
	return nil
}

// copied returns the call with copies of all tensors; wide makes the results F32, for the oracle's exact values.
func (c call) copied(wide bool) call {
	copies := map[*tensor]*tensor{nil: nil}
	for i, t := range slices.Concat(c.results, c.inputs) {
		if _, done := copies[t]; done {
			continue
		}
		if wide && i < len(c.results) {
			copies[t] = t.Convert(kernel.F32)
		} else {
			copies[t] = t.Clone()
			copies[t].Frozen = t.Frozen
		}
	}
	d := c
	d.results, d.inputs, d.weight = nil, nil, copies[c.weight]
	for _, t := range c.results {
		d.results = append(d.results, copies[t])
	}
	for _, t := range c.inputs {
		d.inputs = append(d.inputs, copies[t])
	}
	return d
}

func (c call) compareOnce(b, oracle backend, tried, expected call) error {
	for i, t := range c.results { // fresh results for a second run
		copy(tried.results[i].Data, t.Data)
		t.ReadF32(expected.results[i].F32())
	}
	before := tried.copied(false)
	if err := expected.run(oracle, expected.results, expected.inputs); err != nil {
		return fmt.Errorf("the reference: %w", err)
	}
	if err := tried.run(b, tried.results, tried.inputs); err != nil {
		return err
	}
	for i, t := range tried.inputs {
		if t != nil && !slices.Contains(tried.results, t) && !bytes.Equal(t.Data, before.inputs[i].Data) {
			return fmt.Errorf("input %d was changed", i)
		}
	}
	for i, got := range tried.results {
		if err := difference(got.Floats(), expected.results[i].F32(), bound(c.roundings(got)), c.scale); err != nil {
			return fmt.Errorf("result %d %v %v: %w", i, got.DType, got.Shape, err)
		}
	}
	return nil
}

// roundings is the number of bfloat16 roundings allowed in a result.
func (c call) roundings(result *tensor) float64 {
	steps := 0.0
	for _, t := range slices.Concat(c.results, c.inputs) {
		if t != nil && t.DType == kernel.BF16 {
			steps = c.steps
		}
	}
	if result.DType == kernel.BF16 {
		steps++
	}
	return steps
}

// source makes the tensors of one case; its name is the seed.
type source struct{ *rand.Rand }

func newSource(name string) source {
	h := fnv.New64a()
	h.Write([]byte(name))
	return source{rand.New(rand.NewPCG(h.Sum64(), 1))}
}

// normal returns a tensor of normally distributed values with this standard deviation.
func (s source) normal(deviation float64, dt kernel.DType, shape ...int) *tensor {
	v := make([]float32, kernel.Len(shape))
	for i := range v {
		v[i] = float32(s.NormFloat64() * deviation)
	}
	t := kernel.New(dt, shape...)
	t.WriteF32(v)
	return t
}

// unwritten returns a result full of NaN.
func unwritten(dt kernel.DType, shape ...int) *tensor {
	t := kernel.New(dt, shape...)
	v := make([]float32, t.Len())
	for i := range v {
		v[i] = float32(math.NaN())
	}
	t.WriteF32(v)
	return t
}

// fanIn is the usual deviation of weights that sum n inputs.
func fanIn(n int) float64 { return 1 / math.Sqrt(float64(n)) }
