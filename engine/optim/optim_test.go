package optim_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/optim"
)

// goldenRuns are the settings behind optimizers.safetensors, as its metadata tell in words.
var goldenRuns = []struct {
	name, optimizer string
	rate            float64
	change          func(*optim.Settings)
}{
	{"adamw", "adamw", 1e-2, func(s *optim.Settings) { s.WeightDecay = 1e-2 }},
	{"adamw_wd0", "adamw", 1e-2, func(s *optim.Settings) { s.WeightDecay = 0 }},
	{"lion", "lion", 1e-3, func(s *optim.Settings) { s.WeightDecay = 1e-2 }},
	{"prodigy", "prodigy", 1, func(s *optim.Settings) { s.WeightDecay, s.BiasCorrection, s.Safeguard = 0, false, false }},
	{"prodigy_safe", "prodigy", 1, func(s *optim.Settings) { s.WeightDecay, s.BiasCorrection, s.Safeguard = 0.01, true, true }},
	{"adafactor_fixed", "adafactor", 1e-2, nil},
	{"adafactor_relative", "adafactor", 0, func(s *optim.Settings) { s.ScaleParameter, s.RelativeStep = true, true }},
	{"adafactor_warmup", "adafactor", 0, func(s *optim.Settings) { s.ScaleParameter, s.RelativeStep, s.WarmupInit = true, true, true }},
}

func TestGoldenRuns(t *testing.T) {
	f := golden.Open(t, "optimizers.safetensors")
	backend := ref.New()
	defer backend.Close()
	for _, run := range goldenRuns {
		t.Run(run.name, func(t *testing.T) {
			p, o := newProblem(f), mustNew(t, run.optimizer, run.change)
			adaptive, _ := o.(optim.Adaptive)
			var losses, distances []float32
			paths := make([][]float32, 3)
			for i := range f.Tensor(run.name + "/loss").Len() {
				losses = append(losses, float32(p.differentiate()))
				if i == 0 {
					for _, q := range p.params() {
						f.Check(t, "", run.name+"/grad_"+q.Name, q.Grad.F32())
					}
				}
				if err := o.Step(backend, p.params(), run.rate, 1); err != nil {
					t.Fatal(err)
				}
				for j, q := range p.params() {
					paths[j] = append(paths[j], q.Value.F32()...)
				}
				if adaptive != nil {
					distances = append(distances, float32(adaptive.Distance()))
				}
			}
			f.Check(t, "", run.name+"/loss", losses)
			for j, q := range p.params() {
				f.Check(t, "", run.name+"/"+q.Name, paths[j])
			}
			if f.Has(run.name + "/d") {
				f.Check(t, "", run.name+"/d", distances)
			}
		})
	}
}

// smallProblem needs no file: parameters pulled to zero, one of them large enough for 8-bit moments.
func smallProblem() []optim.Param {
	param := func(name string, shape ...int) optim.Param {
		p := optim.Param{Name: name, Value: kernel.New(kernel.F32, shape...), Grad: kernel.New(kernel.F32, shape...), Rate: 1}
		for i := range p.Value.F32() {
			p.Value.F32()[i] = float32(math.Sin(float64(i + 1)))
		}
		return p
	}
	return []optim.Param{param("a", 3, 2, 3), param("b", 5), param("c", 70, 61)}
}

// steps runs some steps from step number from on, with a rate and clipping that change.
func steps(t *testing.T, o optim.Optimizer, params []optim.Param, from, to int) {
	t.Helper()
	backend := ref.New()
	for i := from; i < to; i++ {
		for _, p := range params {
			for j, v := range p.Value.Floats() {
				p.Grad.F32()[j] = v + 0.1*float32(math.Cos(float64(i*j)))
			}
		}
		if err := o.Step(backend, params, 0.01*float64(i), 1/float32(i+1)); err != nil {
			t.Fatal(err)
		}
	}
}

func values(params []optim.Param) [][]float32 {
	var all [][]float32
	for _, p := range params {
		all = append(all, p.Value.Floats())
	}
	return all
}

func TestResumedRunIsBitEqual(t *testing.T) {
	for _, name := range optim.Names() {
		t.Run(name, func(t *testing.T) {
			whole := smallProblem()
			steps(t, mustNew(t, name, nil), whole, 0, 12)

			parts, first := smallProblem(), mustNew(t, name, nil)
			steps(t, first, parts, 0, 5)
			var saved []optim.State
			for _, s := range first.State() {
				saved = append(saved, optim.State{Name: s.Name, Tensor: s.Tensor.Clone()})
			}
			second := mustNew(t, name, nil)
			if err := second.Restore(saved); err != nil {
				t.Fatal(err)
			}
			steps(t, second, parts, 5, 12)
			if diff := cmp.Diff(values(whole), values(parts)); diff != "" {
				t.Error(diff)
			}
			if name == "lion" { // what it keeps does not depend on the order of saving
				return
			}
			stale := mustNew(t, name, nil)
			parts = smallProblem()
			steps(t, mustNew(t, name, nil), parts, 0, 5)
			steps(t, stale, parts, 5, 12)
			if cmp.Equal(values(whole), values(parts)) {
				t.Error("a run that forgot its state is the same: the test shows nothing")
			}
		})
	}
}

func TestRestoreRefusesAnotherState(t *testing.T) {
	for _, name := range optim.Names() {
		saved := func() []optim.State {
			o := mustNew(t, name, nil)
			steps(t, o, smallProblem(), 1, 2)
			return o.State()
		}
		tests := map[string][]optim.State{
			"missing":     saved()[:len(saved())-1],
			"empty":       {},
			"wrong shape": append(saved()[:len(saved())-1], optim.State{Name: saved()[len(saved())-1].Name, Tensor: kernel.New(kernel.F32, 1)}),
			"twice":       append(saved(), saved()[0]),
		}
		for what, states := range tests {
			o, params := mustNew(t, name, nil), smallProblem()
			before := values(params)
			err := o.Restore(states)
			if err == nil {
				err = o.Step(ref.New(), params, 0.1, 1)
			}
			if err == nil || engine.KindOf(err) != engine.BadFile {
				t.Errorf("%s, %s: error %v, want one of kind bad file", name, what, err)
			}
			if diff := cmp.Diff(before, values(params)); diff != "" {
				t.Errorf("%s, %s: parameters moved", name, what)
			}
		}
	}
}

// A parameter with rate multiplier 0 stays, and one with 1 moves.
func TestRateMultiplier(t *testing.T) {
	for _, name := range optim.Names() {
		params := smallProblem()
		params[1].Rate = 0
		before := values(params)
		steps(t, mustNew(t, name, nil), params, 1, 4)
		after := values(params)
		if cmp.Equal(before[0], after[0]) || !cmp.Equal(before[1], after[1]) {
			t.Errorf("%s: moved %v and %v, want true and false", name, !cmp.Equal(before[0], after[0]), !cmp.Equal(before[1], after[1]))
		}
	}
}

// Halved gradients with scale 2 are the same gradients: 2 and 1/2 are exact.
func TestGradScaleMultipliesGradients(t *testing.T) {
	for _, name := range optim.Names() {
		plain, scaled := smallProblem(), smallProblem()
		a, b := mustNew(t, name, nil), mustNew(t, name, nil)
		for range 3 {
			for i := range plain {
				for j, v := range plain[i].Value.F32() {
					plain[i].Grad.F32()[j], scaled[i].Grad.F32()[j] = v, v/2
				}
			}
			if err := a.Step(ref.New(), plain, 0.1, 1); err != nil {
				t.Fatal(err)
			}
			if err := b.Step(ref.New(), scaled, 0.1, 2); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(values(plain), values(scaled)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	good := optim.Settings{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8}
	with := func(change func(*optim.Settings)) optim.Settings {
		s := good
		change(&s)
		return s
	}
	tests := []struct {
		name     string
		settings optim.Settings
	}{
		{"sgd", good},
		{"adamw", with(func(s *optim.Settings) { s.Beta1 = 1 })},
		{"adamw", with(func(s *optim.Settings) { s.Beta2 = math.NaN() })},
		{"adamw", with(func(s *optim.Settings) { s.Eps = 0 })},
		{"lion", with(func(s *optim.Settings) { s.WeightDecay = -1 })},
		{"adafactor", with(func(s *optim.Settings) { s.WarmupInit = true })},
	}
	for _, test := range tests {
		if _, err := optim.New(test.name, test.settings); err == nil || engine.KindOf(err) != engine.BadInput {
			t.Errorf("%s %+v: error %v, want one of kind bad input", test.name, test.settings, err)
		}
	}
}

func TestStepRefusesWrongGradients(t *testing.T) {
	for _, name := range optim.Names() {
		params := smallProblem()
		params[1].Grad = kernel.New(kernel.F32, 4)
		if err := mustNew(t, name, nil).Step(ref.New(), params, 0.1, 1); err == nil {
			t.Errorf("%s took a gradient of another shape", name)
		}
	}
}

// A gradient of zero, as of a fresh LoRA's down half, is no reason for NaN.
func TestZeroGradientsMoveNothing(t *testing.T) {
	for _, name := range optim.Names() {
		params := smallProblem()
		o, before := mustNew(t, name, func(s *optim.Settings) { s.WeightDecay = 0 }), values(params)
		for range 3 {
			if err := o.Step(ref.New(), params, 0.1, 1); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(before, values(params)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// The first relative step moves by 0.01 of the parameter's size, which for one of zeros counts as 0.001.
func TestAdafactorMovesZeros(t *testing.T) {
	o := mustNew(t, "adafactor", func(s *optim.Settings) { s.ScaleParameter, s.RelativeStep = true, true })
	value, grad := kernel.New(kernel.F32, 2), kernel.FromF32([]float32{4, -0.5}, 2)
	if err := o.Step(ref.New(), []optim.Param{{Name: "b", Value: value, Grad: grad, Rate: 1}}, 0, 1); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{-1e-5, 1e-5} {
		if got := float64(value.F32()[i]); math.Abs(got-want) > 1e-11 {
			t.Errorf("value %d is %g, want %g", i, got, want)
		}
	}
}
