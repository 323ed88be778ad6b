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

// TestEmbeddingsLoadInDiffusers trains a word on the built-in model, and a LoRA with one, and has diffusers load each form
// of embedding that is written: `embedding.py MODEL X WORD FILE...` compares diffusers' text encoder with ours. It needs
// EASEL_PYTHON, a Python with diffusers, and EASEL_LOAD_EMBEDDING; bench/interop/embedding.sh sets both up.
func TestEmbeddingsLoadInDiffusers(t *testing.T) {
	python, script := os.Getenv("EASEL_PYTHON"), os.Getenv("EASEL_LOAD_EMBEDDING")
	if python == "" || script == "" {
		t.Skip("EASEL_PYTHON and EASEL_LOAD_EMBEDDING are not set: run bench/interop/embedding.sh")
	}
	eng := newEngine(t)
	folder := "../builtin/model"
	for _, job := range []engine.Job{
		{Method: "textual-inversion", Files: []string{"a1111", "diffusers", "pt"}},
		{Method: "pivotal", Files: []string{"kohya"}, Preserve: -1},
	} {
		job.Model, job.Images, job.Word, job.Class = folder, "../../samples/zorbit", "zorbit", "monster toy"
		job.Out, job.Steps, job.SampleSteps, job.Seed = filepath.Join(t.TempDir(), "out"), 10, 2, 1
		result, err := eng.Train(context.Background(), job, ignore)
		if err != nil {
			t.Fatal(err)
		}
		files := result.Exports
		if job.Method == "pivotal" {
			files = files[1:] // the LoRA is load_lora.py's
		}
		x := filepath.Join(t.TempDir(), "x.safetensors")
		if err := format.Write(x, contexts(t, folder, files[0]), nil); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(python, append([]string{script, folder, x, job.Word}, files...)...).CombinedOutput()
		t.Logf("%s", out)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// contexts gives our text encoder's output for embedding.py's prompt, with the file's vectors and with zeros.
func contexts(t *testing.T, folder, file string) []format.Named {
	t.Helper()
	m, err := model.Load(os.DirFS(folder))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	out := []format.Named{}
	for name, weight := range map[string]float64{"before": 0, "after": 1} {
		a, err := method.Apply(m, file, weight)
		if err != nil {
			t.Fatal(err)
		}
		ids := m.IDs("a photo of a zorbit on a red background")
		g := graph.New()
		in := g.Indices("ids", ids.Shape...)
		encode, err := graph.NewFunction(g, ref.New(), []*graph.Node{in}, m.BuildText(g, a, in, 1), graph.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer encode.Close()
		context, err := encode.Call(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, format.Named{Name: name, Tensor: context.Clone()})
		if weight == 1 {
			out = append(out, format.Named{Name: "ids", Tensor: &kernel.Tensor{Shape: ids.Shape, DType: kernel.I32, Data: ids.Data}})
		}
	}
	return out
}
