package local_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/method"
	"easel/engine/model"
)

// TestExportLoadsInDiffusers trains a LoRA on the built-in model and has diffusers load it: `load_lora.py MODEL FILE X`
// compares diffusers' UNet output with ours for the same input. It needs EASEL_PYTHON, a Python with diffusers and
// peft, and shared/peers/load_lora.py; bench/interop/lora.sh sets both up.
func TestExportLoadsInDiffusers(t *testing.T) {
	python, script := os.Getenv("EASEL_PYTHON"), os.Getenv("EASEL_LOAD_LORA")
	if python == "" || script == "" {
		t.Skip("EASEL_PYTHON and EASEL_LOAD_LORA are not set: run bench/interop/lora.sh")
	}
	eng := newEngine(t)
	folder := "../builtin/model"
	result, err := eng.Train(context.Background(), engine.Job{Method: "lora", Model: folder, Images: "../../samples/zorbit",
		Word: "zorbit", Class: "monster toy", Out: filepath.Join(t.TempDir(), "out"), Steps: 10, SampleSteps: 2, Seed: 1}, ignore)
	if err != nil {
		t.Fatal(err)
	}
	x := filepath.Join(t.TempDir(), "x.safetensors")
	if err := format.Write(x, predict(t, folder, result.Export), nil); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, script, folder, result.Export, x).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

// predict gives our UNet's output with a tuned file, with its inputs, in the layout of load_lora.py (NCHW).
func predict(t *testing.T, folder, file string) []format.Named {
	t.Helper()
	m, err := model.Load(os.DirFS(folder))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	a, err := method.Apply(m, file, 1)
	if err != nil {
		t.Fatal(err)
	}
	side, c := m.UNet.SampleSize, m.UNet.InChannels
	x, step := kernel.New(kernel.F32, 1, side, side, c), kernel.FromF32([]float32{500}, 1)
	context := kernel.New(kernel.F32, 1, 77, m.UNet.CrossAttentionDim)
	for i := range x.F32() {
		x.F32()[i] = float32(i%11)/5 - 1
	}
	for i := range context.F32() {
		context.F32()[i] = float32(i%13)/6 - 1
	}
	g := graph.New()
	in := []*graph.Node{g.Input("x", x.Shape...), g.Input("t", 1), g.Input("context", context.Shape...)}
	pred := m.BuildUNet(g, a, in[0], in[1], in[2])
	vm, err := graph.Compile(g, ref.New(), []*graph.Node{pred}, graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	for i, v := range []*kernel.Tensor{x, step, context} {
		if err := vm.Let(in[i], v); err != nil {
			t.Fatal(err)
		}
	}
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	return []format.Named{{Name: "x", Tensor: channelsFirst(x)}, {Name: "t", Tensor: step}, {Name: "ctx", Tensor: context},
		{Name: "eps_lora", Tensor: channelsFirst(vm.Value(pred))}}
}

// channelsFirst turns [1, h, w, c] into [1, c, h, w].
func channelsFirst(t *kernel.Tensor) *kernel.Tensor {
	h, w, c := t.Shape[1], t.Shape[2], t.Shape[3]
	out := kernel.New(kernel.F32, 1, c, h, w)
	for p := range h * w {
		for k := range c {
			out.F32()[k*h*w+p] = t.F32()[p*c+k]
		}
	}
	return out
}
