package diffusion_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/internal/golden"
)

// goldenSampler makes the sampler of a case of samplers.safetensors.
func goldenSampler(t *testing.T, f *golden.File, name string) diffusion.Sampler {
	t.Helper()
	text := f.Meta()[name]
	var config struct {
		Class  string `json:"_class_name"`
		Karras bool   `json:"use_karras_sigmas"`
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, "-Infinity", "0")), &config); err != nil {
		t.Fatal(err)
	}
	kind := map[string]string{"DDIMScheduler": "ddim", "EulerDiscreteScheduler": "euler",
		"EulerAncestralDiscreteScheduler": "euler_a", "DPMSolverMultistepScheduler": "dpmpp_2m"}[config.Class]
	if config.Karras {
		kind += "_karras"
	}
	var steps int
	if err := json.Unmarshal([]byte(f.Meta()["num_inference_steps"]), &steps); err != nil {
		t.Fatal(err)
	}
	return mustSampler(t, kind, mustParse(t, text), steps)
}

func mustSampler(t *testing.T, name string, s *diffusion.Schedule, steps int) diffusion.Sampler {
	t.Helper()
	sampler, err := diffusion.NewSampler(name, s, steps)
	if err != nil {
		t.Fatal(err)
	}
	return sampler
}

func goldenCases(f *golden.File) []string {
	cases := f.Cases()
	return slices.DeleteFunc(cases, func(c string) bool { return c == "in" })
}

func TestGoldenTimestepsAndSigmas(t *testing.T) {
	f := golden.Open(t, "samplers.safetensors")
	for _, name := range goldenCases(f) {
		t.Run(name, func(t *testing.T) {
			s := goldenSampler(t, f, name)
			f.Check(t, "", name+"/timesteps", float32s(s.Timesteps()))
			if f.Has(name + "/sigmas") {
				f.Check(t, "", name+"/sigmas", float32s(s.(diffusion.Sigmaed).Sigmas()))
			}
			x := f.Tensor("in/noise").F32()
			for i := range x {
				x[i] *= float32(s.InitScale())
			}
			f.Check(t, "", name+"/init_latents", x)
		})
	}
}

// outputOf finds the network output with which step i takes before to after. Step is affine in it.
func outputOf(s diffusion.Sampler, i int, before, after []float32) []float32 {
	one := []float32{1}
	slope := []float32{0}
	s.Step(i, slope, one, nil)
	out, at0 := make([]float32, len(before)), slices.Clone(before)
	s.Step(i, at0, out, nil)
	for j := range out {
		out[j] = (after[j] - at0[j]) / slope[0]
	}
	return out
}

// DDIM and Euler follow the same path in other coordinates, so the network saw the same inputs. The outputs
// behind the golden DDIM run must give the golden Euler run, although that one's last step ends elsewhere.
func TestEulerFollowsGoldenDDIM(t *testing.T) {
	f := golden.Open(t, "samplers.safetensors")
	for ddimCase, eulerCase := range map[string]string{"ddim": "euler", "ddim_v": "euler_v"} {
		t.Run(eulerCase, func(t *testing.T) {
			needCases(t, f, ddimCase, eulerCase)
			ddim, euler := goldenSampler(t, f, ddimCase), goldenSampler(t, f, eulerCase)
			if !slices.Equal(ddim.Timesteps(), euler.Timesteps()) {
				t.Fatal("the timesteps differ")
			}
			before, x := f.Tensor(ddimCase+"/init_latents").F32(), f.Tensor(eulerCase+"/init_latents").F32()
			for i := range ddim.Timesteps() {
				after := latentsAfter(f, ddimCase, i)
				euler.Step(i, x, outputOf(ddim, i, before, after), nil)
				checkStep(t, f, eulerCase, i, x)
				before = after
			}
		})
	}
}

// Samplers that start at one timestep with an input of one scale got the same first output of the network.
func TestGoldenFirstStepsShareOneOutput(t *testing.T) {
	f := golden.Open(t, "samplers.safetensors")
	for from, others := range map[string][]string{
		"ddim":              {"ddim_v", "euler", "euler_v", "euler_karras", "euler_ancestral", "dpmpp_2m", "dpmpp_2m_v"},
		"dpmpp_2m_linspace": {"dpmpp_2m_karras"},
	} {
		for _, to := range others {
			t.Run(to, func(t *testing.T) {
				needCases(t, f, from, to)
				source, s := goldenSampler(t, f, from), goldenSampler(t, f, to)
				if a, b := source.Timesteps()[0], s.Timesteps()[0]; math.Abs(a-b) > 1e-9 {
					t.Skipf("the first timesteps are %g and %g", a, b)
				}
				out := outputOf(source, 0, f.Tensor(from+"/init_latents").F32(), latentsAfter(f, from, 0))
				x := f.Tensor(to + "/init_latents").F32()
				s.Step(0, x, out, f.Tensor("in/step_noise").F32()[:len(x)])
				checkStep(t, f, to, 0, x)
			})
		}
	}
}

func needCases(t *testing.T, f *golden.File, cases ...string) {
	t.Helper()
	for _, c := range cases {
		if !f.Has(c + "/latents") {
			t.Skipf("samplers.safetensors has no %s", c)
		}
	}
}

func latentsAfter(f *golden.File, name string, i int) []float32 {
	all := f.Tensor(name + "/latents")
	n := all.Len() / all.Shape[0]
	return all.F32()[i*n : (i+1)*n]
}

func checkStep(t *testing.T, f *golden.File, name string, i int, got []float32) {
	t.Helper()
	want, largest, worst := latentsAfter(f, name, i), 0.0, 0.0
	for j := range want {
		largest = max(largest, math.Abs(float64(want[j])))
		worst = max(worst, math.Abs(float64(got[j]-want[j])))
	}
	if bound := f.Tolerance("", name+"/latents").Rel * largest; !(worst <= bound) {
		t.Errorf("%s: off by %.3g after step %d, allowed %.3g", name, worst, i, bound)
	}
}

func TestNewSamplerRefuses(t *testing.T) {
	s := diffusion.StableDiffusion(diffusion.Epsilon)
	for _, test := range []struct {
		name  string
		steps int
	}{{"", 10}, {"DDIM 2", 10}, {"ddim", 0}, {"euler", -1}, {"dpmpp_2m", 1000}} {
		if _, err := diffusion.NewSampler(test.name, s, test.steps); err == nil || engine.KindOf(err) != engine.BadInput {
			t.Errorf("%q with %d steps: error %v, want one of kind bad input", test.name, test.steps, err)
		}
	}
}

// Whatever the number of steps, timesteps fall and stay in the table, and nothing overflows.
func TestEverySamplerStaysInTheTable(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	zero, err := diffusion.StableDiffusion(diffusion.Velocity).ZeroTerminalSNR()
	if err != nil {
		t.Fatal(err)
	}
	for _, base := range []*diffusion.Schedule{diffusion.StableDiffusion(diffusion.Epsilon), zero} {
		for _, spacing := range []diffusion.Spacing{diffusion.Leading, diffusion.Linspace, diffusion.Trailing} {
			for _, info := range diffusion.Samplers() {
				for _, steps := range []int{1, 2, 3, 7, 10, 30, 333, 500, 998, 999} {
					schedule := *base
					schedule.Spacing = spacing
					s := mustSampler(t, info.Name, &schedule, steps)
					if msg := runRandomly(s, schedule.Len(), steps, random); msg != "" {
						t.Errorf("%s, spacing %d, %d steps: %s", info.Name, spacing, steps, msg)
					}
				}
			}
		}
	}
}

func runRandomly(s diffusion.Sampler, tableLen, steps int, random *rand.Rand) string {
	timesteps := s.Timesteps()
	if len(timesteps) != steps {
		return "wrong number of timesteps"
	}
	x, in := []float32{float32(s.InitScale())}, []float32{0}
	for i, at := range timesteps {
		if at < 0 || at > float64(tableLen-1) || i > 0 && at > timesteps[i-1] {
			return "a timestep rises or leaves the table"
		}
		s.ScaleInput(in, x, i)
		s.Step(i, x, []float32{float32(random.NormFloat64())}, []float32{float32(random.NormFloat64())})
		if v := float64(x[0]); math.IsNaN(v) || math.IsInf(v, 0) {
			return "x is not finite"
		}
	}
	return ""
}

// With set_alpha_to_one the last step of DDIM ends at the x0 that the network stands for, else short of it.
func TestDDIMEndsAtX0WhereTheScheduleSaysSo(t *testing.T) {
	for _, p := range []diffusion.Prediction{diffusion.Epsilon, diffusion.Velocity} {
		for _, one := range []bool{true, false} {
			schedule := diffusion.StableDiffusion(p)
			schedule.FinalAlphaOne = one
			s := mustSampler(t, "ddim", schedule, 10)
			x, out, x0 := []float32{0.5, -2}, []float32{1, 0.25}, make([]float32, 2)
			schedule.X0(x0, x, out, int(s.Timesteps()[9]))
			s.Step(9, x, out, nil)
			if slices.Equal(x, x0) != one {
				t.Errorf("%v, set_alpha_to_one %v: %v, x0 %v", p, one, x, x0)
			}
		}
	}
}
