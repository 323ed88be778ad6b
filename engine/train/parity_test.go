package train_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/model"
	"easel/engine/optim"
	"easel/engine/train"
)

// TestParityWithPyTorch makes the steps that PyTorch made on SD 1.5's full shape, and writes losses and trained values
// beside PyTorch's. bench/parity.sh makes the folder, of some GB, and compares.
func TestParityWithPyTorch(t *testing.T) {
	dir := os.Getenv("EASEL_PARITY")
	if dir == "" {
		t.Skip("EASEL_PARITY is not set: run bench/parity.sh")
	}
	f := openTensors(t, filepath.Join(dir, "reference.safetensors"))
	sd15 := model.SD15(kernel.F32)
	m := model.New(sd15.UNet, sd15.Text, sd15.VAE, sd15.Scheduler, openTensors(t, filepath.Join(dir, "..", "unet.safetensors")))
	settings := map[string]string{"rank": f.Metadata()["rank"], "targets": "attention+ff", "text-encoder": "off"}
	tr := newTrainer(t, m, settings, fast(t), f.number("rate"), f.number("clip"), graph.Options{})
	tr.Optimizer = adamW(t, func(s *optim.Settings) {
		s.Beta1, s.Beta2, s.Eps, s.WeightDecay = f.number("beta1"), f.number("beta2"), f.number("eps"), f.number("decay")
	})
	latents, steps := f.read("in/latents"), f.read("in/timesteps").I32()
	if err := tr.Prepare(1, latents.Shape[3], latents.Shape[4]); err != nil {
		t.Fatal(err)
	}
	for _, p := range tr.Params() {
		copy(p.Value.F32(), f.read("init/"+p.Name).F32())
	}
	loss := kernel.New(kernel.F32, len(steps))
	for i := range steps {
		r, err := tr.Step(context.Background(), i, train.Batch{Latents: channelsLast(latents, i), Noise: channelsLast(f.read("in/noise"), i),
			Timesteps: []int{int(steps[i])}, Context: element(f.read("in/context"), i)})
		if err != nil {
			t.Fatal(err)
		}
		loss.F32()[i] = float32(r.Loss)
		t.Logf("step %d of %d, loss %.6f", i+1, len(steps), r.Loss)
	}
	out := []format.Named{{Name: "loss", Tensor: loss}}
	for _, p := range tr.Params() {
		out = append(out, format.Named{Name: "after/" + p.Name, Tensor: p.Value})
	}
	if err := format.Write(filepath.Join(dir, "easel.safetensors"), out, nil); err != nil {
		t.Fatal(err)
	}
}

// tensors is a safetensors file; it implements model.Weights.
type tensors struct {
	*format.File
	t    *testing.T
	have map[string]*kernel.Tensor
}

func openTensors(t *testing.T, path string) tensors {
	t.Helper()
	f, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return tensors{f, t, map[string]*kernel.Tensor{}}
}

// Tensor gives a weight the shape that the model asks for: a linear layer may be stored as a 1x1 convolution.
func (f tensors) Tensor(name string, shape ...int) (*kernel.Tensor, error) {
	if w := f.have[name]; w != nil {
		return w, nil
	}
	w, err := f.File.Tensor(name)
	if err == nil {
		w.Shape, f.have[name] = shape, w
	}
	return w, err
}

func (f tensors) read(name string) *kernel.Tensor {
	f.t.Helper()
	v, err := f.File.Tensor(name)
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

// number is a setting among the metadata.
func (f tensors) number(name string) float64 {
	f.t.Helper()
	v, err := strconv.ParseFloat(f.Metadata()[name], 64)
	if err != nil {
		f.t.Fatalf("setting %s: %v", name, err)
	}
	return v
}

// element is v[i].
func element(v *kernel.Tensor, i int) *kernel.Tensor {
	n := v.Len() / v.Shape[0]
	return kernel.FromF32(v.F32()[i*n:(i+1)*n], v.Shape[1:]...)
}
