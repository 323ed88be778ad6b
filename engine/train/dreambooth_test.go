package train_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	_ "easel/engine/method/dreambooth"
	"easel/engine/model"
	"easel/engine/optim"
	"easel/engine/train"
)

// dreamBooth makes a trainer of the model's own weights as golden's files were made; change may alter it.
func dreamBooth(t *testing.T, f *golden.File, m *model.Model, b kernel.Backend, o graph.Options, text string) *train.Trainer {
	t.Helper()
	return goldenTrainer(t, f, m, "dreambooth", engine.Job{Settings: map[string]string{"text-encoder": text}}, b, o)
}

// TestDreamBoothAgainstGolden makes the reference's three steps and compares losses, gradients and trained values.
func TestDreamBoothAgainstGolden(t *testing.T) {
	for _, c := range []struct{ file, text, prefix string }{
		{"train/unet_full.safetensors", "off", "unet."},
		{"train/unet_text_full.safetensors", "on", ""},
	} {
		for _, v := range []struct {
			name string
			b    kernel.Backend
			o    graph.Options
		}{{"ref", ref.New(), graph.Options{}}, {"fast", fast(t), graph.Options{}}, {"recompute most", fast(t), graph.Options{Recompute: graph.MostRecompute}}} {
			t.Run(c.file+" "+v.name, func(t *testing.T) {
				skipTwin(t, v.name)
				f := golden.Open(t, c.file)
				tr := dreamBooth(t, f, loadTiny(t), v.b, v.o, c.text)
				s := f.Tensor("in/latents").Shape
				if err := tr.Prepare(s[1], s[3], s[4]); err != nil {
					t.Fatal(err)
				}
				w := wholeWeights{t, f, tr, c.prefix}
				w.compare(func(step int) train.Batch { return goldenBatch(t, f, tr, step) })
			})
		}
	}
}

// wholeWeights compares the training of the model's own weights with a golden file, which holds of each the beginning, and
// of the table of words the rows that occur.
type wholeWeights struct {
	t      *testing.T
	f      *golden.File
	tr     *train.Trainer
	prefix string // of parameters' names, that golden's have not
}

// names pairs golden's names with parameters.
func (w wholeWeights) each(see func(name string, p optim.Param)) {
	for _, p := range w.tr.Params() {
		name := strings.TrimPrefix(p.Name, w.prefix)
		if strings.HasSuffix(name, "token_embedding.weight") {
			name += "[token_rows]"
		}
		see(name, p)
	}
}

// part is what golden holds of values.
func (w wholeWeights) part(name string, values []float32, p optim.Param) []float32 {
	if strings.HasSuffix(name, "[token_rows]") {
		var rows []float32
		width := p.Value.Shape[1]
		for _, row := range w.f.Ints("token_rows") {
			rows = append(rows, values[row*width:(row+1)*width]...)
		}
		return rows
	}
	return values[:min(len(values), w.f.Tensor(name).Len())]
}

func (w wholeWeights) compare(batch func(step int) train.Batch) {
	w.t.Helper()
	want := 0
	for _, name := range w.f.Names() {
		if strings.HasPrefix(name, "grad/") {
			want++
		}
	}
	if got := len(w.tr.Params()); got != want {
		w.t.Fatalf("%d parameters, golden has %d", got, want)
	}
	init := map[string][]float32{}
	w.each(func(name string, p optim.Param) { init[name] = w.part("after/"+name, p.Value.Floats(), p) })
	var losses, norms []float32
	for step := range w.f.Tensor("in/latents").Shape[0] {
		r, err := w.tr.Step(context.Background(), step, batch(step))
		if err != nil {
			w.t.Fatal(err)
		}
		losses, norms = append(losses, float32(r.Loss)), append(norms, float32(r.GradNorm))
		if step == 0 {
			w.each(func(name string, p optim.Param) {
				w.f.Check(w.t, "grad", "grad/"+name, w.part("grad/"+name, p.Grad.F32(), p))
			})
		}
	}
	w.f.Check(w.t, "loss", "loss", losses)
	w.f.Check(w.t, "grad_norm", "grad_norm", norms)
	got := map[string][]float32{}
	w.each(func(name string, p optim.Param) {
		got[name] = w.part("after/"+name, p.Value.F32(), p)
		if w.tr.Backend.Name() == "ref" {
			w.f.CheckAfter(w.t, "after", "after/"+name, got[name], init[name])
		}
	})
	if w.tr.Backend.Name() != "ref" {
		checkUpdate(w.t, w.f, got, init)
	}
}

// TestPriorPreservationAgainstGolden: the batch's second half are class pictures, and the loss is the sum of both means.
func TestPriorPreservationAgainstGolden(t *testing.T) {
	for name, b := range map[string]kernel.Backend{"ref": ref.New(), "fast": fast(t)} {
		t.Run(name, func(t *testing.T) {
			skipTwin(t, name)
			f := golden.Open(t, "train/prior_preservation.safetensors")
			start := func(weight float64) *train.Trainer {
				tr := dreamBooth(t, f, loadTiny(t), b, graph.Options{}, "off")
				tr.Prior = weight
				s := f.Tensor("in/latents").Shape
				if err := tr.Prepare(s[1], s[3], s[4]); err != nil {
					t.Fatal(err)
				}
				return tr
			}
			batch := func(tr *train.Trainer, step int) train.Batch {
				b := goldenBatch(t, f, tr, step)
				b.Class = 2
				return b
			}
			tr := start(1)
			wholeWeights{t, f, tr, "unet."}.compare(func(step int) train.Batch { return batch(tr, step) })
			first := func(weight float64) float64 {
				tr := start(weight)
				r, err := tr.Step(context.Background(), 0, batch(tr, 0))
				if err != nil {
					t.Fatal(err)
				}
				return r.Loss
			}
			subject, both := first(0), first(3)
			for name, got := range map[string]float64{"loss_instance": subject, "loss_class": (both - subject) / 3} {
				want := float64(f.Tensor(name).F32()[0])
				if math.Abs(got-want) > 1e-5*want {
					t.Errorf("%s is %g, want %g", name, got, want)
				}
			}
		})
	}
}
