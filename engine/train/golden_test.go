package train_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/method"
	_ "easel/engine/method/lora"
	"easel/engine/model"
	"easel/engine/optim"
	"easel/engine/train"
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

// newTrainer makes a trainer as golden's train files were made: AdamW, constant rate, plain MSE.
func newTrainer(t testing.TB, m *model.Model, settings map[string]string, rate, clip float64, o graph.Options) *train.Trainer {
	t.Helper()
	lora, err := method.ByName("lora")
	if err != nil {
		t.Fatal(err)
	}
	tuning, err := lora.Start(m, engine.Job{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := diffusion.ParseSchedule(m.Scheduler)
	if err != nil {
		t.Fatal(err)
	}
	s, err := optim.Defaults("adamw")
	if err != nil {
		t.Fatal(err)
	}
	opt, err := optim.New("adamw", s)
	if err != nil {
		t.Fatal(err)
	}
	constant, err := optim.NewRateSchedule("constant", rate, 0)
	if err != nil {
		t.Fatal(err)
	}
	tr := train.New(train.Config{Model: m, Tuning: tuning, Backend: ref.New(), Schedule: schedule, Weighting: diffusion.Uniform{},
		Optimizer: opt, Rate: constant, Steps: 100, ClipNorm: clip, Options: o})
	t.Cleanup(func() { tr.Close() })
	return tr
}

// TestLoRAAgainstGolden makes the reference's three steps and compares losses, gradients and trained values.
func TestLoRAAgainstGolden(t *testing.T) {
	for _, c := range []struct{ file, targets, text string }{
		{"train/lora.safetensors", "attention+ff", "on"},
		{"train/locon.safetensors", "all", "off"},
	} {
		for _, recompute := range []bool{false, true} {
			t.Run(c.file+" recompute="+strconv.FormatBool(recompute), func(t *testing.T) {
				f := golden.Open(t, c.file)
				meta := f.Meta()
				number := func(name string) float64 {
					v, err := strconv.ParseFloat(meta[name], 64)
					if err != nil {
						t.Fatalf("metadata %s: %v", name, err)
					}
					return v
				}
				settings := map[string]string{"rank": meta["rank"], "alpha": meta["alpha"], "conv-rank": meta["conv_rank"],
					"conv-alpha": meta["conv_alpha"], "targets": c.targets, "text-encoder": c.text}
				tr := newTrainer(t, loadTiny(t), settings, number("lr"), number("clip_norm"), graph.Options{Recompute: recompute})
				compareSteps(t, f, tr)
			})
		}
	}
}

func compareSteps(t *testing.T, f *golden.File, tr *train.Trainer) {
	s := f.Tensor("in/latents").Shape // steps, batch, channels, height, width
	if err := tr.Prepare(s[1], s[3], s[4]); err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, name := range f.Names() {
		if strings.HasPrefix(name, "init/") {
			want++
		}
	}
	if got := len(tr.Params()); got != want {
		t.Fatalf("%d parameters, golden has %d", got, want)
	}
	init := map[string][]float32{}
	for _, p := range tr.Params() {
		init[p.Name] = f.Tensor("init/" + p.Name).F32()
		copy(p.Value.F32(), init[p.Name])
	}
	var losses, norms []float32
	for step := range s[0] {
		r, err := tr.Step(context.Background(), step, goldenBatch(t, f, tr, step))
		if err != nil {
			t.Fatal(err)
		}
		losses, norms = append(losses, float32(r.Loss)), append(norms, float32(r.GradNorm))
		if step == 0 {
			for _, p := range tr.Params() {
				f.Check(t, "grad", "grad/"+p.Name, p.Grad.F32())
			}
		}
	}
	f.Check(t, "loss", "loss", losses)
	f.Check(t, "grad_norm", "grad_norm", norms)
	for _, p := range tr.Params() {
		f.CheckAfter(t, "after", "after/"+p.Name, p.Value.F32(), init[p.Name])
	}
}

func goldenBatch(t *testing.T, f *golden.File, tr *train.Trainer, step int) train.Batch {
	s := f.Tensor("in/latents").Shape
	batch := s[1]
	at := func(name string) *kernel.Tensor { return channelsLast(f.Tensor(name), step) }
	ids := f.Ints("in/input_ids")
	n := len(ids) / s[0]
	b := train.Batch{Latents: at("in/latents"), Noise: at("in/noise"), Timesteps: f.Ints("in/timesteps")[step*batch : (step+1)*batch]}
	b.IDs = kernel.New(kernel.I32, batch, n/batch)
	for i, v := range ids[step*n : (step+1)*n] {
		b.IDs.I32()[i] = int32(v)
	}
	if !tr.Tuning.TrainsText() {
		b.Context = encode(t, tr.Model, b.IDs)
	}
	return b
}

func encode(t *testing.T, m *model.Model, ids *kernel.Tensor) *kernel.Tensor {
	t.Helper()
	g := graph.New()
	in := g.Indices("ids", ids.Shape...)
	out := m.BuildText(g, nil, in, 1)
	vm, err := graph.Compile(g, ref.New(), []*graph.Node{out}, graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	if err := vm.Let(in, ids); err != nil {
		t.Fatal(err)
	}
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return vm.Value(out).Clone()
}

// channelsLast takes element i of [n, b, c, h, w] as [b, h, w, c].
func channelsLast(t *kernel.Tensor, i int) *kernel.Tensor {
	b, c, pixels := t.Shape[1], t.Shape[2], t.Shape[3]*t.Shape[4]
	out := kernel.New(kernel.F32, b, t.Shape[3], t.Shape[4], c)
	src := t.F32()[i*b*c*pixels:]
	for n := range b {
		for k := range c {
			for p := range pixels {
				out.F32()[(n*pixels+p)*c+k] = src[(n*c+k)*pixels+p]
			}
		}
	}
	return out
}
