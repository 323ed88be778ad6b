package method_test

import (
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/local"
	"easel/engine/method"
	"easel/engine/model"
)

// A fifth method, all of it in this file: it trains a scale for each channel of what the UNet's attention layers put out
// (in the manner of IA³, Liu et al., arXiv 2205.05638). Nothing outside knows of it.

func init() { method.Register(scales{}) }

type scales struct{}

func (scales) Info() engine.MethodInfo {
	return engine.MethodInfo{Name: "scales", Title: "Scales", Updates: "how large attention's outputs are", Element: engine.InsertedLayers,
		Settings: []engine.Setting{{Name: "start", Default: "1", Help: "scale to begin with"}},
		Files:    []engine.FileForm{{Name: "scales", Ending: ".safetensors", Title: "Scales for Easel"}}}
}

func (s scales) Start(_ *model.Model, job engine.Job) (method.Tuning, error) {
	settings := method.ReadSettings(s.Info(), job.Settings)
	return &scaling{settings: settings, start: float32(settings.Float("start", 1, 10)), of: map[string]*kernel.Tensor{}}, settings.Err
}

func (scales) Reads(kind format.FileKind) bool { return kind == format.KindTensors }

func (scales) Apply(_ *model.Model, path string, weight float64) (model.Adapter, error) {
	f, err := format.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &scaling{start: 1, of: map[string]*kernel.Tensor{}}
	for _, name := range f.Names() {
		t, err := f.Tensor(name)
		if err != nil {
			return nil, err
		}
		v := t.Convert(kernel.F32)
		for i := range v.F32() {
			v.F32()[i] = 1 + float32(weight)*(v.F32()[i]-1)
		}
		s.of[name], s.order = v, append(s.order, name)
	}
	return s, nil
}

// scaling is the method at work.
type scaling struct {
	model.Unchanged
	method.Steady
	settings *method.Settings
	start    float32
	of       map[string]*kernel.Tensor
	order    []string
}

func (s *scaling) After(g *graph.Graph, l model.Layer, _, y *graph.Node) *graph.Node {
	if l.Part != model.UNet || !strings.HasSuffix(l.Module, ".to_out.0") {
		return y
	}
	if s.of[l.Module] == nil {
		t := kernel.New(kernel.F32, l.Shape[0])
		for i := range t.F32() {
			t.F32()[i] = s.start
		}
		s.of[l.Module], s.order = t, append(s.order, l.Module)
	}
	return g.Rescale(y, g.Parameter(l.Module, s.of[l.Module]), nil, nil)
}

func (s *scaling) Settings() map[string]string { return s.settings.All() }
func (s *scaling) TrainsText() bool            { return false }
func (s *scaling) WeightChange() float64       { return 0 }

func (s *scaling) Parameters() (ps []method.Parameter) {
	for _, name := range s.order {
		ps = append(ps, method.Parameter{Name: name, Value: s.of[name], Rate: 1})
	}
	return ps
}

func (s *scaling) Export(path, _ string, _ method.About, dtype kernel.DType) error {
	var ts []format.Named
	for _, name := range s.order {
		ts = append(ts, format.Named{Name: name, Tensor: s.of[name].Convert(dtype)})
	}
	return format.Write(path, ts, nil)
}

// TestAFifthMethodNeedsNothingElse: it is listed with its settings, trains from a picture to a file, is resumed, and its
// file is sampled with.
func TestAFifthMethodNeedsNothingElse(t *testing.T) {
	eng, err := local.New(local.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	if !slices.ContainsFunc(eng.Methods(), func(m engine.MethodInfo) bool { return m.Name == "scales" && len(m.Settings) == 1 }) {
		t.Fatal("the method is not listed")
	}
	images := t.TempDir()
	f, err := os.Create(filepath.Join(images, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, image.NewNRGBA(image.Rect(0, 0, 64, 64))); err != nil {
		t.Fatal(err)
	}
	f.Close()
	job := engine.Job{Method: "scales", Model: golden.Path(t, "tiny-sd1"), Images: images, Word: "zorbit", Out: filepath.Join(t.TempDir(), "out"), Steps: 2,
		Batch: 1, Rate: 1e-2, Optimizer: "adamw", Schedule: "constant", Preserve: -1, SampleSteps: 1, DType: "f32", Export: "f32", Prompts: []string{"a {word}"}, Settings: map[string]string{"start": "0.9"}}
	ctx, stop := context.WithCancel(context.Background())
	stopAfterOne := func(e engine.Event) {
		if e.Step != nil {
			stop()
		}
	}
	if _, err := eng.Train(ctx, job, stopAfterOne); engine.KindOf(err) != engine.Cancelled {
		t.Fatal(err)
	}
	job.Resume = true
	result, err := eng.Train(context.Background(), job, func(engine.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	file, err := format.Open(result.Export)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	moved := 0
	for _, name := range file.Names() {
		v, err := file.Tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(v.F32(), slices.Repeat([]float32{0.9}, v.Len())) {
			moved++
		}
	}
	if moved != 32 || len(file.Names()) != 32 { // two in each of 16 transformer blocks
		t.Errorf("%d of %d scales moved, want 32", moved, len(file.Names()))
	}
	picture := func(tuned ...engine.TunedFile) string {
		out := filepath.Join(t.TempDir(), "x.png")
		req := engine.SampleRequest{Model: job.Model, Tuned: tuned, Prompt: "a zorbit", Steps: 1, Width: 64, Height: 64, Out: out}
		if _, err := eng.Sample(context.Background(), req, func(engine.Event) {}); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return string(data[len(data)/2:]) // the text at the start names the file
	}
	if picture() == picture(engine.TunedFile{Path: result.Export, Weight: 1}) {
		t.Error("the file changes nothing")
	}
}
