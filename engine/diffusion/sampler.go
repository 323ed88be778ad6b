package diffusion

import (
	"strings"

	"easel/engine"
)

// Sampler turns noise into a latent by asking a network of unknown make, step by step:
//
//	x = noise · InitScale()
//	for i, t := range Timesteps() {
//		ScaleInput(in, x, i)
//		out = network(in, t, context), guided by Guide
//		Step(i, x, out, fresh noise)
//	}
//
// after which x is the clean latent. A Sampler is for one picture (or batch) at a time; step 0 starts afresh.
type Sampler interface {
	// Name is the one that NewSampler took.
	Name() string
	// Timesteps are what to feed the network, falling, one per step; some samplers use fractions.
	Timesteps() []float64
	// InitScale multiplies N(0,1) noise to give the first x.
	InitScale() float64
	// ScaleInput writes the network's input for step i, of unit scale; dst may be x.
	ScaleInput(dst, x []float32, i int)
	// Step moves x in place from step i to the next, given the network's output. noise is N(0,1) of x's length,
	// fresh for each step; only a Stochastic sampler reads it, else it may be nil.
	Step(i int, x, out, noise []float32)
	// Stochastic says whether Step reads noise.
	Stochastic() bool
}

// Sigmaed is a Sampler that is defined by noise levels: Euler and DPM++.
type Sigmaed interface {
	// Sigmas are σ at each step, and 0 at the end: one more than Timesteps.
	Sigmas() []float64
}

// SamplerInfo names a sampler.
type SamplerInfo struct {
	Name  string // for NewSampler and the command line
	Title string // as A1111's web UI and its PNG parameters write it
}

type samplerKind struct {
	SamplerInfo
	make func(name string, s *Schedule, steps int) Sampler
}

var samplers = []samplerKind{
	{SamplerInfo{"ddim", "DDIM"}, newDDIM},
	{SamplerInfo{"euler", "Euler"}, newEuler},
	{SamplerInfo{"euler_karras", "Euler Karras"}, newEulerKarras},
	{SamplerInfo{"euler_a", "Euler a"}, newEulerAncestral},
	{SamplerInfo{"dpmpp_2m", "DPM++ 2M"}, newDPMPP},
	{SamplerInfo{"dpmpp_2m_karras", "DPM++ 2M Karras"}, newDPMPPKarras},
}

// Samplers lists what NewSampler makes.
func Samplers() []SamplerInfo {
	infos := make([]SamplerInfo, len(samplers))
	for i, k := range samplers {
		infos[i] = k.SamplerInfo
	}
	return infos
}

// NewSampler makes the sampler of that name for a number of steps from 1 to s.Len()-1. It copies what it needs of
// s. An unknown name or impossible number of steps is engine.BadInput.
func NewSampler(name string, s *Schedule, steps int) (Sampler, error) {
	const op = "set up the sampler"
	var names []string
	for _, k := range samplers {
		if k.Name != name {
			names = append(names, k.Name)
			continue
		}
		if steps < 1 || steps >= s.Len() {
			return nil, engine.Errorf(op, "", engine.BadInput, "%d steps; it takes 1 to %d", steps, s.Len()-1)
		}
		return k.make(name, s, steps), nil
	}
	return nil, engine.Errorf(op, "", engine.BadInput, "no sampler %q; there are %s", name, strings.Join(names, ", "))
}
