package train_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/diffusion"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/internal/rng"
	"easel/engine/kernel"
	"easel/engine/kernel/onednn"
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
func newTrainer(t testing.TB, m *model.Model, settings map[string]string, b kernel.Backend, rate, clip float64, o graph.Options) *train.Trainer {
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
	constant, err := optim.NewRateSchedule("constant", rate, 0)
	if err != nil {
		t.Fatal(err)
	}
	tr := train.New(train.Config{Model: m, Tuning: tuning, Backend: b, Schedule: schedule, Weighting: diffusion.Uniform{},
		Optimizer: adamW(t, func(*optim.Settings) {}), Rate: constant, Steps: 100, ClipNorm: clip, Options: o})
	t.Cleanup(func() { tr.Close() })
	return tr
}

// goldenTrainer makes a trainer of any method with the numbers in the metadata of a golden file.
func goldenTrainer(t *testing.T, f *golden.File, m *model.Model, name string, job engine.Job, b kernel.Backend, o graph.Options) *train.Trainer {
	t.Helper()
	me, err := method.ByName(name)
	if err != nil {
		t.Fatal(err)
	}
	tuning, err := me.Start(m, job)
	if err != nil {
		t.Fatal(err)
	}
	schedule, err := diffusion.ParseSchedule(m.Scheduler)
	if err != nil {
		t.Fatal(err)
	}
	number := func(name string) float64 {
		n, err := strconv.ParseFloat(f.Meta()[name], 64)
		if err != nil {
			t.Fatalf("metadata %s: %v", name, err)
		}
		return n
	}
	constant, err := optim.NewRateSchedule("constant", number("lr"), 0)
	if err != nil {
		t.Fatal(err)
	}
	var betas [2]float64
	if err := json.Unmarshal([]byte(f.Meta()["betas"]), &betas); err != nil {
		t.Fatal(err)
	}
	optimizer := adamW(t, func(s *optim.Settings) {
		s.Beta1, s.Beta2, s.Eps, s.WeightDecay = betas[0], betas[1], number("eps"), number("weight_decay")
	})
	tr := train.New(train.Config{Model: m, Tuning: tuning, Backend: b, Schedule: schedule, Weighting: diffusion.Uniform{},
		Optimizer: optimizer, Rate: constant, Steps: 100, ClipNorm: number("clip_norm"), Options: o})
	t.Cleanup(func() { tr.Close() })
	return tr
}

func adamW(t testing.TB, change func(*optim.Settings)) optim.Optimizer {
	t.Helper()
	s, err := optim.Defaults("adamw")
	if err != nil {
		t.Fatal(err)
	}
	change(&s)
	o, err := optim.New("adamw", s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestLoRAAgainstGolden makes the reference's three steps and compares losses, gradients and trained values.
func TestLoRAAgainstGolden(t *testing.T) {
	for _, c := range []struct{ file, targets, text string }{
		{"train/lora.safetensors", "attention+ff", "on"},
		{"train/locon.safetensors", "all", "off"},
	} {
		for _, v := range []struct {
			name string
			b    kernel.Backend
			o    graph.Options
		}{{"ref", ref.New(), graph.Options{}}, {"recompute cheap", fast(t), graph.Options{Recompute: graph.Cheap}}, {"recompute most", fast(t), graph.Options{Recompute: graph.MostRecompute}}, {"fast", fast(t), graph.Options{}}} {
			t.Run(c.file+" "+v.name, func(t *testing.T) {
				skipTwin(t, v.name)
				f := golden.Open(t, c.file)
				meta := f.Meta()
				settings := map[string]string{"rank": meta["rank"], "alpha": meta["alpha"], "conv-rank": meta["conv_rank"],
					"conv-alpha": meta["conv_alpha"], "targets": c.targets, "text-encoder": c.text}
				compareSteps(t, f, goldenTrainer(t, f, loadTiny(t), "lora", engine.Job{Settings: settings}, v.b, v.o))
			})
		}
	}
}

// fast is the fastest backend of this build.
func fast(t *testing.T) kernel.Backend {
	t.Helper()
	if !onednn.Available() {
		return ref.New()
	}
	b, err := onednn.New(onednn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// skipTwin leaves out a case named fast where this build's fastest backend is ref, whose case it would repeat.
func skipTwin(t *testing.T, name string) {
	t.Helper()
	if name == "fast" && !onednn.Available() {
		t.Skip("this build has no other backend than ref")
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
	if tr.Backend.Name() == "ref" {
		for _, p := range tr.Params() {
			f.CheckAfter(t, "after", "after/"+p.Name, p.Value.F32(), init[p.Name])
		}
		return
	}
	got := map[string][]float32{}
	for _, p := range tr.Params() {
		got[p.Name] = p.Value.F32()
	}
	checkUpdate(t, f, got, init)
}

// checkUpdate compares the update of all parameters together, ‖got-want‖ ≤ rel·‖want-init‖, for a backend that adds
// in float32: AdamW divides a gradient by its own size, so that where one is nearly zero its rounding becomes a step, and
// of hundreds of small tensors one or another consists of such. Each gradient has met golden's tolerance before. Tensors
// whose gradient is zero in exact arithmetic, such as a key's bias, get any step and do not count.
func checkUpdate(t *testing.T, f *golden.File, got, init map[string][]float32) {
	t.Helper()
	var diff, moved float64
	for name, values := range got {
		grad := f.Tensor("grad/" + name).F32()
		if float64(max(slices.Max(grad), -slices.Min(grad))) <= f.Tolerance("grad", "").Abs0 {
			continue
		}
		for i, want := range f.Tensor("after/" + name).F32() {
			d, m := float64(values[i]-want), float64(want-init[name][i])
			diff, moved = diff+d*d, moved+m*m
		}
	}
	if rel := f.Tolerance("after", "after").Rel; math.Sqrt(diff) > rel*math.Sqrt(moved) {
		t.Errorf("all trained values are off by %.3g of %.3g, allowed %.3g of it", math.Sqrt(diff), math.Sqrt(moved), rel)
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

// TestKeptRowsCountAsTold: the loss is mean(pictures) + preserve · mean(kept), whatever the number of rows.
func TestKeptRowsCountAsTold(t *testing.T) {
	m := loadTiny(t)
	c := m.UNet.InChannels
	tensor := func(seed uint64, shape ...int) *kernel.Tensor {
		v := kernel.New(kernel.F32, shape...)
		rng.Normal(v.F32(), seed, 0, rng.Noise)
		return v
	}
	context1 := tensor(3, 1, model.Tokens, m.UNet.CrossAttentionDim)
	batch := train.Batch{Latents: tensor(1, 1, 8, 8, c), Noise: tensor(2, 1, 8, 8, c), Timesteps: []int{400}, Context: context1}
	kept := train.Kept{X: tensor(4, 8, 8, c), Target: tensor(5, 8, 8, c), Timestep: 300, Prompt: "a cat",
		Context: kernel.FromF32(context1.F32(), model.Tokens, m.UNet.CrossAttentionDim)}
	loss := func(preserve float64, rows ...train.Kept) float64 {
		tr := newTrainer(t, m, map[string]string{"rank": "1", "text-encoder": "off"}, ref.New(), 1e-9, 0, graph.Options{})
		tr.Preserve = preserve
		b := batch
		b.Kept = rows
		r, err := tr.Step(context.Background(), 0, b)
		if err != nil {
			t.Fatal(err)
		}
		return r.Loss
	}
	pictures, both, heavier := loss(0), loss(1, kept), loss(3, kept, kept)
	if want := pictures + 3*(both-pictures); math.Abs(heavier-want) > 1e-4*want || both <= pictures {
		t.Errorf("losses %g, %g with what is kept, %g with three times its weight on two rows: want %g", pictures, both, heavier, want)
	}
}
