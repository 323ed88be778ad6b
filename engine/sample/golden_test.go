package sample

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"easel/engine/diffusion"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/model"
)

func loadTiny(t testing.TB) *model.Model {
	t.Helper()
	m, err := model.Load(os.DirFS(golden.Path(t, "tiny-sd1")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// transpose turns [b, c, h, w] into [b, h, w, c], or back.
func transpose(t *kernel.Tensor, back bool) *kernel.Tensor {
	s := t.Shape
	b, c, h, w := s[0], s[1], s[2], s[3]
	out := kernel.New(kernel.F32, b, h, w, c)
	if back {
		b, h, w, c = s[0], s[1], s[2], s[3]
		out = kernel.New(kernel.F32, b, c, h, w)
	}
	for n := range b {
		for p := range h * w {
			for k := range c {
				last, first := (n*h*w+p)*c+k, (n*c+k)*h*w+p
				if back {
					out.F32()[first] = t.F32()[last]
				} else {
					out.F32()[last] = t.F32()[first]
				}
			}
		}
	}
	return out
}

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
	schedule, err := diffusion.ParseSchedule([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := diffusion.NewSampler(kind, schedule, steps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSamplersAgainstGolden runs each sampler with the tiny UNet and guidance, and compares the latents after each step.
func TestSamplersAgainstGolden(t *testing.T) {
	f := golden.Open(t, "samplers.safetensors")
	var guidance float64
	if err := json.Unmarshal([]byte(f.Meta()["guidance_scale"]), &guidance); err != nil {
		t.Fatal(err)
	}
	r := &Renderer{Model: loadTiny(t), Backend: ref.New()}
	defer r.Close()
	uncond, cond := f.Tensor("in/context_uncond"), f.Tensor("in/context_cond")
	contexts := kernel.FromF32(append(uncond.Floats(), cond.F32()...), 2*cond.Shape[0], cond.Shape[1], cond.Shape[2])
	for _, name := range f.Cases() {
		if name == "in" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := goldenSampler(t, f, name)
			x := transpose(f.Tensor(name+"/init_latents"), false)
			want := f.Tensor(name + "/latents")
			var got []float32
			for i, at := range s.Timesteps() {
				predict := func(in *kernel.Tensor, t float64) (*kernel.Tensor, error) {
					return r.predict(context.Background(), in, t, contexts)
				}
				if err := step(s, i, at, guidance, x, contexts.Shape[0], predict, stepNoise(f, s, i, x.Shape)); err != nil {
					t.Fatal(err)
				}
				got = append(got, transpose(x, true).F32()...)
			}
			if len(got) != want.Len() {
				t.Fatalf("%d values, golden has %d", len(got), want.Len())
			}
			f.Check(t, "", name+"/latents", got)
		})
	}
}

// stepNoise is golden's noise of step i, channels-last; nil for samplers that add none.
func stepNoise(f *golden.File, s diffusion.Sampler, i int, shape []int) []float32 {
	if !s.Stochastic() {
		return nil
	}
	all := f.Tensor("in/step_noise")
	n := kernel.Len(shape)
	one := kernel.FromF32(all.F32()[i*n:(i+1)*n], shape[0], shape[3], shape[1], shape[2])
	return transpose(one, false).F32()
}
