package train_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/method"
	"easel/engine/model"
	"easel/engine/optim"
	"easel/engine/train"
)

// wholeTrainer trains the model's own weights, changed by change, ready for golden's batches.
func wholeTrainer(t *testing.T, change func(*train.Trainer)) (*golden.File, *train.Trainer) {
	t.Helper()
	f := golden.Open(t, "train/unet_full.safetensors")
	tr := dreamBooth(t, f, loadTiny(t), ref.New(), graph.Options{}, "off")
	change(tr)
	s := f.Tensor("in/latents").Shape
	if err := tr.Prepare(s[1], s[3], s[4]); err != nil {
		t.Fatal(err)
	}
	return f, tr
}

// steps makes golden's steps from one to before another, and returns the losses.
func steps(t *testing.T, f *golden.File, tr *train.Trainer, from, to int) (losses []float64) {
	t.Helper()
	for step := from; step < to; step++ {
		r, err := tr.Step(t.Context(), step, goldenBatch(t, f, tr, step))
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, r.Loss)
	}
	return losses
}

// differ counts the parameters that differ.
func differ(a, b []optim.Param) (n int) {
	for i := range a {
		if !slices.Equal(a[i].Value.Data[:a[i].Value.Len()*a[i].Value.DType.Size()], b[i].Value.Data[:b[i].Value.Len()*b[i].Value.DType.Size()]) {
			n++
		}
	}
	return n
}

// TestAStepWithinThePassIsTheSame as one that waits for all gradients, where none is clipped, and takes less memory.
func TestAStepWithinThePassIsTheSame(t *testing.T) {
	for _, optimizer := range []string{"adamw", "adafactor", "lion"} {
		var all []*train.Trainer
		var losses [][]float64
		for _, inPass := range []bool{false, true} {
			f, tr := wholeTrainer(t, func(tr *train.Trainer) {
				s, err := optim.Defaults(optimizer)
				if err != nil {
					t.Fatal(err)
				}
				if tr.Optimizer, err = optim.New(optimizer, s); err != nil {
					t.Fatal(err)
				}
				tr.ClipNorm, tr.InPass = 0, inPass
			})
			losses = append(losses, steps(t, f, tr, 0, 3))
			all = append(all, tr)
		}
		if n := differ(all[0].Params(), all[1].Params()); n > 0 || !slices.Equal(losses[0], losses[1]) {
			t.Errorf("%s: %d parameters differ, losses %v", optimizer, n, losses)
		}
		if kept, freed := all[0].VM().Bytes(), all[1].VM().Bytes(); freed >= kept {
			t.Errorf("%s: %d bytes within the pass, %d after it", optimizer, freed, kept)
		}
	}
}

// TestTrainersGoOnBitForBit from a checkpoint, clipped within the pass, with an average in the parameters' place, and with
// weights of two bytes.
func TestTrainersGoOnBitForBit(t *testing.T) {
	for name, change := range map[string]func(*train.Trainer){
		"within the pass": func(tr *train.Trainer) { tr.ClipNorm, tr.InPass = 0.01, true },
		"two bytes": func(tr *train.Trainer) {
			tr.Model.Store(model.UNet, model.Storage{Trained: kernel.BF16, Lean: true})
			settings, err := optim.Defaults("adamw8bit")
			if err != nil {
				t.Fatal(err)
			}
			if tr.Optimizer, err = optim.New("adamw8bit", settings); err != nil {
				t.Fatal(err)
			}
			tr.InPass = true
		},
		"average": func(tr *train.Trainer) {
			var err error
			if tr.Average, err = optim.NewEMA(0.9); err != nil {
				t.Fatal(err)
			}
		},
	} {
		f, whole := wholeTrainer(t, change)
		steps(t, f, whole, 0, 3)
		if n := slices.IndexFunc(whole.Params(), func(p optim.Param) bool { return p.Value.DType == kernel.BF16 }); (n >= 0) != (name == "two bytes") {
			t.Errorf("%s: parameters of two bytes: %v", name, n >= 0)
		}
		_, begun := wholeTrainer(t, change)
		steps(t, f, begun, 0, 2)
		path := filepath.Join(t.TempDir(), "checkpoint.safetensors")
		if err := begun.Save(path, 2, "job"); err != nil {
			t.Fatal(err)
		}
		_, resumed := wholeTrainer(t, change)
		if done, err := resumed.Restore(path, "job"); err != nil || done != 2 {
			t.Fatal(done, err)
		}
		steps(t, f, resumed, 2, 3)
		if n := differ(whole.Params(), resumed.Params()); n > 0 {
			t.Errorf("%s: %d parameters differ", name, n)
		}
	}
}

// TestTheAverageIsHeldBetweenSteps, and training goes on from the values themselves.
func TestTheAverageIsHeldBetweenSteps(t *testing.T) {
	f, plain := wholeTrainer(t, func(*train.Trainer) {})
	average, err := optim.NewEMA(0.9)
	if err != nil {
		t.Fatal(err)
	}
	_, averaged := wholeTrainer(t, func(tr *train.Trainer) { tr.Average = average })
	oracle, err := optim.NewEMA(0.9)
	if err != nil {
		t.Fatal(err)
	}
	for step := range 3 {
		if a, b := steps(t, f, plain, step, step+1), steps(t, f, averaged, step, step+1); !slices.Equal(a, b) {
			t.Errorf("losses %v and %v", a, b)
		}
		if err := oracle.Update(plain.Params()); err != nil {
			t.Fatal(err)
		}
	}
	var want []*kernel.Tensor
	for _, s := range oracle.State() {
		if s.Tensor.DType == kernel.F32 {
			want = append(want, s.Tensor)
		}
	}
	for i, p := range averaged.Params() {
		if !slices.Equal(p.Value.F32(), want[i].F32()) {
			t.Errorf("%s is not the average", p.Name)
			break
		}
	}
}

// TestATextEncoderIsTrainedUntilAStep, and stays to the bit while the UNet goes on.
func TestATextEncoderIsTrainedUntilAStep(t *testing.T) {
	f := golden.Open(t, "train/unet_text_full.safetensors")
	m := loadTiny(t)
	tr := dreamBooth(t, f, m, ref.New(), graph.Options{}, "on")
	me, err := method.ByName("dreambooth")
	if err != nil {
		t.Fatal(err)
	}
	if tr.Tuning, err = me.Start(m, engine.Job{Settings: map[string]string{"text-encoder": "on", "text-until": "1"}}); err != nil {
		t.Fatal(err)
	}
	s := f.Tensor("in/latents").Shape
	if err := tr.Prepare(s[1], s[3], s[4]); err != nil {
		t.Fatal(err)
	}
	moved := func(from int) (text, unet int) {
		before := map[string]*kernel.Tensor{}
		for _, p := range tr.Params() {
			before[p.Name] = p.Value.Clone()
		}
		steps(t, f, tr, from, from+1)
		for _, p := range tr.Params() {
			if slices.Equal(p.Value.F32(), before[p.Name].F32()) {
				continue
			}
			if strings.HasPrefix(p.Name, "text_encoder.") {
				text++
			} else {
				unet++
			}
		}
		return text, unet
	}
	if text, unet := moved(0); text == 0 || unet == 0 {
		t.Errorf("the first step moved %d of the text encoder's tensors and %d of the UNet's", text, unet)
	}
	if text, unet := moved(1); text != 0 || unet == 0 {
		t.Errorf("the second step moved %d of the text encoder's tensors and %d of the UNet's", text, unet)
	}
	if n := tr.VM().Operators()["embedding grad"]; n != 0 {
		t.Errorf("the backward pass still goes through the text encoder")
	}
}
