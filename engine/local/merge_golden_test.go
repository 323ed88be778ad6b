package local_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/model"
)

// predictGolden runs the input of f through the text encoder and the UNet of the model at path; the result is
// channels-first. configs is a folder whose config files count for a single file.
func predictGolden(t *testing.T, path, configs string, f *golden.File) []float32 {
	t.Helper()
	m, err := model.Open(path, model.Options{Configs: os.DirFS(configs)})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	x, step, idShape := f.Tensor("in/x"), f.Tensor("in/t"), f.Tensor("in/input_ids").Shape
	b, c, h, w := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	ids, last := kernel.New(kernel.I32, idShape...), kernel.New(kernel.F32, b, h, w, c)
	for i, v := range f.Ints("in/input_ids") {
		ids.I32()[i] = int32(v)
	}
	channels := func(visit func(first, last int)) {
		for n := range b {
			for k := range c {
				for p := range h * w {
					visit((n*c+k)*h*w+p, (n*h*w+p)*c+k)
				}
			}
		}
	}
	channels(func(first, at int) { last.F32()[at] = x.F32()[first] })
	g := graph.New()
	in := []*graph.Node{g.Input("x", b, h, w, c), g.Input("t", step.Shape...), g.Indices("ids", idShape...)}
	pred, err := graph.NewFunction(g, ref.New(), in, m.BuildUNet(g, nil, in[0], in[1], m.BuildText(g, nil, in[2], 1)), graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pred.Close()
	out, err := pred.Call(t.Context(), last, step, ids)
	if err != nil {
		t.Fatal(err)
	}
	eps := make([]float32, out.Len())
	channels(func(first, at int) { eps[first] = out.F32()[at] })
	return eps
}

// TestMergedModelsPredictWhatTheReferenceDoes, as folders and as single files, which hold the same tensors.
func TestMergedModelsPredictWhatTheReferenceDoes(t *testing.T) {
	skipUnderRace(t)
	for _, c := range []struct{ model, lora, expected, output string }{
		{"tiny-sd1", "files/lora.safetensors", "files/lora.eps.safetensors", "eps_lora"},
		{"tiny-sd1", "files/locon.safetensors", "files/locon.eps.safetensors", "eps_lora"},
		{"tiny-sd2", "tiny-sd2/lora.safetensors", "tiny-sd2/expected.safetensors", "pred_lora"},
		{"tiny-sdxl", "tiny-sdxl/lora.safetensors", "", ""},
	} {
		t.Run(c.lora, func(t *testing.T) {
			req := engine.MergeRequest{Model: golden.Path(t, c.model), DType: "f32", Out: filepath.Join(t.TempDir(), "merged"),
				LoRAs: []engine.TunedFile{{Path: golden.Path(t, c.lora), Weight: 1}}}
			folder := merge(t, req)
			req.Model, req.Out = golden.Path(t, c.model, c.model+".safetensors"), req.Out+".safetensors"
			file := merge(t, req)
			if file.Changed == 0 || folder.Changed < file.Changed { // OpenCLIP's q, k and v are one tensor
				t.Errorf("%d tensors of the folder changed, %d of the file", folder.Changed, file.Changed)
			}
			compareLayouts(t, folder.Path, file.Path)
			if c.expected == "" { // the model package does not run SDXL
				return
			}
			f := golden.Open(t, c.expected)
			f.Check(t, "", c.output, predictGolden(t, folder.Path, folder.Path, f))
			f.Check(t, "", c.output, predictGolden(t, file.Path, folder.Path, f))
		})
	}
}

// compareLayouts compares a folder's UNet and text encoders with a single file of the same model.
func compareLayouts(t *testing.T, folder, file string) {
	t.Helper()
	parts := map[string]map[string][]float32{}
	for _, part := range []string{"unet/diffusion_pytorch_model", "text_encoder/model", "text_encoder_2/model"} {
		path := filepath.Join(folder, part+".safetensors")
		if _, err := os.Stat(path); err == nil {
			parts[filepath.Dir(part)] = tensors(t, path)
		}
	}
	f, err := format.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, own := range f.Names() {
		for _, r := range format.Refs(own) {
			want, ok := parts[r.Part][r.Name]
			if !ok {
				continue
			}
			whole, err := f.Tensor(own)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(want, r.Rows(whole).Floats()) {
				t.Errorf("%s differs from the folder's %s", own, r.Name)
			}
			delete(parts[r.Part], r.Name)
		}
	}
	for part, rest := range parts {
		delete(rest, "text_projection.weight") // which the single file has transposed, and no LoRA changes
		if len(rest) > 0 {
			t.Errorf("%d tensors of %s are not in the file", len(rest), part)
		}
	}
}
