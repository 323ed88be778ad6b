package kerneltest

import (
	"fmt"
	"math"

	"easel/engine/kernel"
)

// shapes of elementwise operations.
var shapes = [][]int{{1}, {3, 5}, {2, 3, 1, 7}, {1, 17, 64}, {1031}}

// aliasable gives a call twice: with a result of its own, and with the result in the place of input i.
func aliasable(c call, m types, i int) []call {
	own, inPlace := c, c
	own.results = []*tensor{unwritten(m.y, c.inputs[i].Shape...)}
	inPlace.name += fmt.Sprintf(", result is input %d", i)
	result := c.inputs[i].Convert(m.y)
	inPlace.results = []*tensor{result}
	inPlace.inputs = append([]*tensor(nil), c.inputs...)
	inPlace.inputs[i] = result
	return []call{own, inPlace}
}

func activationCalls(m types) []call {
	if m.x != m.w {
		return nil
	}
	var calls []call
	for f := kernel.SiLU; f <= kernel.Mish; f++ {
		for _, shape := range shapes {
			for _, deviation := range []float64{1, 30} { // 30: far out, where exponentials overflow
				name := fmt.Sprintf("%d %v deviation %g", f, shape, deviation)
				s := newSource(name)
				x, dy := s.normal(deviation, m.x, shape...), s.normal(1, m.x, shape...)
				calls = append(calls, aliasable(call{
					name: "Activate " + name, inputs: []*tensor{x},
					run: func(b backend, r, in []*tensor) error { return b.Activate(r[0], in[0], f) },
				}, m, 0)...)
				calls = append(calls, aliasable(call{
					name: "ActivateGrad " + name, inputs: []*tensor{x, dy},
					run: func(b backend, r, in []*tensor) error { return b.ActivateGrad(r[0], in[0], in[1], f) },
				}, m, 1)...)
			}
		}
	}
	calls = append(calls, cornerCalls(m)...)
	for _, shape := range [][]int{{1, 1}, {2, 5, 7}, {3, 4, 4, 48}} {
		s := newSource("geglu")
		c := shape[len(shape)-1]
		wide := append(shape[:len(shape)-1:len(shape)-1], 2*c)
		x, dy := s.normal(2, m.x, wide...), s.normal(1, m.x, shape...)
		calls = append(calls, call{
			name: fmt.Sprintf("GEGLU %v", shape), results: []*tensor{unwritten(m.y, shape...)}, inputs: []*tensor{x},
			run: func(b backend, r, in []*tensor) error { return b.GEGLU(r[0], in[0]) },
		}, call{
			name: fmt.Sprintf("GEGLUGrad %v", shape), results: []*tensor{unwritten(m.y, wide...)}, inputs: []*tensor{x, dy},
			run: func(b backend, r, in []*tensor) error { return b.GEGLUGrad(r[0], in[0], in[1]) },
		})
	}
	return calls
}

// cornerCalls tries HardSwish at and beside its corners -3 and 3, where the slope jumps by a half.
func cornerCalls(m types) []call {
	x := kernel.New(m.x, 7)
	x.WriteF32([]float32{-3, 3, math.Nextafter32(-3, 0), math.Nextafter32(3, 0), math.Nextafter32(-3, -4), math.Nextafter32(3, 4), 0})
	one := kernel.New(m.x, 7)
	one.WriteF32([]float32{1, 1, 1, 1, 1, 1, 1})
	return []call{{
		name: "Activate HardSwish at its corners", results: []*tensor{unwritten(m.y, 7)}, inputs: []*tensor{x},
		run: func(b backend, r, in []*tensor) error { return b.Activate(r[0], in[0], kernel.HardSwish) },
	}, {
		name: "ActivateGrad HardSwish at its corners", results: []*tensor{unwritten(m.y, 7)}, inputs: []*tensor{x, one},
		run: func(b backend, r, in []*tensor) error { return b.ActivateGrad(r[0], in[0], in[1], kernel.HardSwish) },
	}}
}

// elementwiseCalls uses the weights' type for the second operand, so that it has all mixtures.
func elementwiseCalls(m types) []call {
	if m.w == kernel.F16 {
		return nil
	}
	var calls []call
	for _, shape := range shapes {
		name := fmt.Sprint(shape)
		s := newSource(name)
		x, other := s.normal(1, m.x, shape...), s.normal(1, m.w, shape...)
		for i := range 2 {
			calls = append(calls, aliasable(call{
				name: "Add " + name, inputs: []*tensor{x, other},
				run: func(b backend, r, in []*tensor) error { return b.Add(r[0], in[0], in[1], -0.3) },
			}, m, i)...)
			calls = append(calls, aliasable(call{
				name: "Mul " + name, inputs: []*tensor{x, other},
				run: func(b backend, r, in []*tensor) error { return b.Mul(r[0], in[0], in[1]) },
			}, m, i)...)
		}
		calls = append(calls, aliasable(call{
			name: "Scale " + name, inputs: []*tensor{x},
			run: func(b backend, r, in []*tensor) error { return b.Scale(r[0], in[0], 1.7) },
		}, m, 0)...)
		calls = append(calls, call{
			name: "Convert " + name, results: []*tensor{unwritten(m.y, shape...)}, inputs: []*tensor{x},
			run: func(b backend, r, in []*tensor) error { return b.Convert(r[0], in[0]) },
		}, call{
			name: "Softmax " + name, results: []*tensor{unwritten(m.y, shape...)}, inputs: []*tensor{s.normal(4, m.x, shape...)},
			run: func(b backend, r, in []*tensor) error { return b.Softmax(r[0], in[0]) },
		}, call{
			name: "SoftmaxGrad " + name, results: []*tensor{unwritten(m.y, shape...)}, inputs: []*tensor{x, s.normal(1, m.x, shape...)},
			run: func(b backend, r, in []*tensor) error { return b.SoftmaxGrad(r[0], in[0], in[1]) },
		})
	}
	return append(calls, channelCalls(m)...)
}

func channelCalls(m types) []call {
	var calls []call
	for _, shape := range [][]int{{1, 1, 1, 1}, {3, 2, 5, 7}, {2, 6, 6, 32}, {2, 9, 5}, {3, 4}} {
		name := fmt.Sprint(shape)
		s := newSource(name)
		c := shape[len(shape)-1]
		x := s.normal(1, m.x, shape...)
		for _, t := range []*tensor{s.normal(1, m.w, shape[0], c), s.normal(1, m.w, c)} {
			calls = append(calls, aliasable(call{
				name: fmt.Sprintf("AddChannels %s + %v", name, t.Shape), inputs: []*tensor{x, t},
				run: func(b backend, r, in []*tensor) error { return b.AddChannels(r[0], in[0], in[1]) },
			}, m, 0)...)
		}
		calls = append(calls, call{
			name: "SumPixels " + name, results: []*tensor{unwritten(m.y, shape[0], c)}, inputs: []*tensor{x},
			run: func(b backend, r, in []*tensor) error { return b.SumPixels(r[0], in[0]) },
		})
	}
	return calls
}
