// Package optim moves parameters along their gradients: optimizers, learning-rate schedules, gradient clipping
// and a running average of the weights.
//
// Everything that a later step depends on is in named tensors (State), so that a run resumed from them is equal
// bit for bit to one that was not interrupted.
package optim

import (
	"slices"
	"strings"

	"easel/engine"
	"easel/engine/kernel"
)

// Param is something that training changes.
type Param struct {
	Name  string         // unique; names its state
	Value *kernel.Tensor // F32, or BF16, which is rounded stochastically; changed in place
	Grad  *kernel.Tensor // F32, of Value's shape
	Rate  float32        // multiplies the learning rate; 1 for the plain one
}

// Optimizer changes parameters by their gradients. The same parameters are expected at each step.
type Optimizer interface {
	// Name is the one that New took.
	Name() string
	// Step changes every Value once. rate is the learning rate of this step, gradScale multiplies the gradients
	// first (ClipScale). AdamW and its 8-bit form compute on b; what is BF16 is rounded by Settings.Seed, the number of steps and the
	// parameter's name. An error of kind BadFile means that a restored state does not
	// belong to these parameters; nothing has changed then.
	Step(b kernel.Backend, params []Param, rate float64, gradScale float32) error
	// State is everything that later steps depend on beside the parameters: the live tensors, which the next
	// Step changes. Empty before the first step.
	State() []State
	// Restore replaces the state by copies of a State that was saved.
	Restore([]State) error
}

// Adaptive is an Optimizer that finds its learning rate: Prodigy.
type Adaptive interface {
	// Distance is d, the estimated distance to the solution. A step's actual rate is d times the given one.
	Distance() float64
}

// Settings are the constants of an optimizer; start from Defaults. Each optimizer reads those that it has.
type Settings struct {
	Beta1, Beta2 float64 // decay of the running means of g and g²; in Lion of the two uses of its one mean
	Eps          float64 // AdamW, Prodigy: added to √v
	Seed         uint64  // of the rounding of BF16 values
	WeightDecay  float64 // decoupled: each step shrinks values by rate·WeightDecay of themselves

	BiasCorrection bool // Prodigy: Adam's correction of the first steps
	Safeguard      bool // Prodigy: a warm-up of the learning rate does not inflate d

	ScaleParameter bool // Adafactor: the rate is relative to the root mean square of the parameter
	RelativeStep   bool // Adafactor: the rate is min(0.01, 1/√step), and Step's rate is not read
	WarmupInit     bool // Adafactor with RelativeStep: min(1e-6·step, 1/√step) instead
}

type kind struct {
	name     string
	defaults Settings
	make     func(Settings) Optimizer
}

var kinds = []kind{
	{"adamw", Settings{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.01},
		func(s Settings) Optimizer { return &adamW{settings: s} }},
	{"adamw8bit", Settings{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.01},
		func(s Settings) Optimizer { return &adamW8bit{adamW{settings: s}} }},
	{"prodigy", Settings{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.01, BiasCorrection: true, Safeguard: true},
		func(s Settings) Optimizer { return &prodigy{settings: s} }},
	{"adafactor", Settings{},
		func(s Settings) Optimizer { return &adafactor{settings: s} }},
	{"lion", Settings{Beta1: 0.9, Beta2: 0.99, WeightDecay: 0.01},
		func(s Settings) Optimizer { return &lion{settings: s} }},
}

// Names lists the optimizers: "adamw", "adamw8bit", "prodigy", "adafactor", "lion".
func Names() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// Defaults are the settings that diffusion trainers use: those of PyTorch for AdamW; for Prodigy bias correction
// and safeguard on (diffusers' train_dreambooth_lora_sdxl); for Adafactor a rate that the caller gives. An
// unknown name is engine.BadInput.
func Defaults(name string) (Settings, error) {
	k, err := find(name)
	return k.defaults, err
}

// New makes an optimizer by name. An unknown name or a setting out of range is engine.BadInput.
func New(name string, s Settings) (Optimizer, error) {
	k, err := find(name)
	if err != nil {
		return nil, err
	}
	switch {
	case !(s.Beta1 >= 0 && s.Beta1 < 1 && s.Beta2 >= 0 && s.Beta2 < 1):
		return nil, badSetting("β1 %g and β2 %g must be at least 0 and below 1", s.Beta1, s.Beta2)
	case !(s.Eps > 0) && k.defaults.Eps > 0:
		return nil, badSetting("ε %g must be above 0", s.Eps)
	case !(s.WeightDecay >= 0):
		return nil, badSetting("weight decay %g must not be negative", s.WeightDecay)
	case s.WarmupInit && !s.RelativeStep:
		return nil, badSetting("Adafactor's warm-up needs its relative step")
	}
	return k.make(s), nil
}

func find(name string) (kind, error) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return kind{}, badSetting("no optimizer %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return kinds[i], nil
}

func badSetting(format string, args ...any) error {
	return engine.Errorf("set up the optimizer", "", engine.BadInput, format, args...)
}

// check refuses parameters that no optimizer can read.
func check(params []Param) error {
	for _, p := range params {
		floats := (p.Value.DType == kernel.F32 || p.Value.DType == kernel.BF16) && p.Grad.DType == kernel.F32
		if !floats || p.Value.Len() == 0 || !slices.Equal(p.Value.Shape, p.Grad.Shape) {
			return engine.Errorf("optimizer step", "", engine.Internal, "%s is %v %v with a gradient of %v %v",
				p.Name, p.Value.DType, p.Value.Shape, p.Grad.DType, p.Grad.Shape)
		}
	}
	return nil
}
