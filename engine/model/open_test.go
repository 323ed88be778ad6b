package model

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/builtin"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
)

func openTiny(t *testing.T, path string, o Options) *Model {
	t.Helper()
	o.Configs = os.DirFS(filepath.Dir(path))
	m, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// outputs are the results of a model's four networks for made-up inputs, as bytes.
func outputs(t *testing.T, m *Model) map[string][]byte {
	t.Helper()
	g := graph.New()
	nx, nt, ni := g.Input("x", 1, 8, 8, m.UNet.InChannels), g.Input("t", 1), g.Indices("ids", 1, 7)
	nim, nz := g.Input("image", 1, 16, 16, 3), g.Input("z", 1, 2, 2, m.VAE.LatentChannels)
	context := m.BuildText(g, nil, ni, 1)
	all := map[string]*graph.Node{"text": context, "unet": m.BuildUNet(g, nil, nx, nt, context),
		"encoder": m.BuildEncoder(g, nim), "decoder": m.BuildDecoder(g, nz)}
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	values := map[*graph.Node]*kernel.Tensor{nt: kernel.FromF32([]float32{437}, 1), ni: kernel.New(kernel.I32, 1, 7)}
	for i := range values[ni].I32() {
		values[ni].I32()[i] = int32(13 * i)
	}
	for _, n := range []*graph.Node{nx, nim, nz} {
		v := kernel.New(kernel.F32, n.Shape()...)
		for i := range v.F32() {
			v.F32()[i] = float32((i*7919)%201)/100 - 1
		}
		values[n] = v
	}
	got := map[string][]byte{}
	vm := run(t, g, ref.New(), []*graph.Node{all["text"], all["unet"], all["encoder"], all["decoder"]}, values, graph.Options{})
	for name, n := range all {
		got[name] = bytes.Clone(vm.Value(n).Data)
	}
	return got
}

// TestSingleFileComputesAsItsFolder compares the networks' outputs bit for bit.
func TestSingleFileComputesAsItsFolder(t *testing.T) {
	for _, tiny := range []string{"tiny-sd1", "tiny-sd2"} {
		path := golden.Path(t, tiny, tiny+".safetensors")
		file, folder := openTiny(t, path, Options{}), open(t, tiny)
		want, got := outputs(t, folder), outputs(t, file)
		for name := range want {
			if !bytes.Equal(want[name], got[name]) {
				t.Errorf("%s: the output of %s differs from the folder's", tiny, name)
			}
		}
		for _, name := range []string{"encoder", "decoder"} { // the VAE of the file itself, in place of the folder's
			other := open(t, tiny)
			if err := other.Use(Options{VAE: path}); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want[name], outputs(t, other)[name]) {
				t.Errorf("%s: %s with the VAE of the file differs", tiny, name)
			}
		}
	}
}

// TestSingleFileOfRealShapes derives the configurations of SD 1 and 2 from files that have all their tensors and no
// data: the file is one hole.
func TestSingleFileOfRealShapes(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("needs a file with a hole, mapped")
	}
	sd2 := SD15(kernel.F16)
	sd2.UNet.AttentionHeadDim, sd2.UNet.CrossAttentionDim, sd2.UNet.UseLinearProjection = perLevel{5, 10, 20, 20}, 1024, true
	sd2.Text.HiddenSize, sd2.Text.IntermediateSize, sd2.Text.Layers, sd2.Text.Heads, sd2.Text.HiddenAct = 1024, 4096, 23, 16, "gelu"
	sd2v := *sd2
	sd2v.UNet.SampleSize = 96
	for _, test := range []struct {
		unet, text, prefix, prediction string
		want                           *Model
	}{
		{"sd1_unet", "clip_l_text", "cond_stage_model.transformer.", "", SD15(kernel.F16)},
		{"sd1_unet", "clip_l_text", "cond_stage_model.", "v", SD15(kernel.F16)},
		{"sd2_unet", "sd2_openclip_h24", "cond_stage_model.model.", "", sd2},
		{"sd2_unet", "sd2_openclip_h24", "conditioner.embedders.0.model.", "v", &sd2v},
	} {
		path := filepath.Join(t.TempDir(), "model.safetensors")
		holes(t, path, map[string]string{test.unet: "", "vae": "", test.text: test.prefix})
		m, err := Open(path, Options{Prediction: test.prediction})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if d := cmp.Diff([]any{test.want.UNet, test.want.Text, test.want.VAE}, []any{m.UNet, m.Text, m.VAE}); d != "" {
			t.Errorf("%s: %s", test.unet, d)
		}
		if want := map[string]string{"": "epsilon", "v": "v"}[test.prediction]; m.Prediction != want {
			t.Errorf("%s predicts %s", test.unet, m.Prediction)
		}
		g := graph.New() // the builders ask for every tensor and check its shape
		context := m.BuildText(g, nil, g.Indices("ids", 1, 77), 1)
		m.BuildUNet(g, nil, g.Input("x", 1, 8, 8, 4), g.Input("t", 1), context)
		m.BuildEncoder(g, g.Input("image", 1, 64, 64, 3))
		m.BuildDecoder(g, g.Input("z", 1, 8, 8, 4))
		if g.Err() != nil {
			t.Errorf("%s: %v", test.unet, g.Err())
		}
	}
}

// holes writes the header of a float16 file with the tensors of some tables of formats.md 2.12, and no data.
func holes(t *testing.T, path string, tables map[string]string) {
	t.Helper()
	header := map[string]any{}
	at := 0
	for table, prefix := range tables {
		text, err := os.ReadFile(filepath.Join("..", "format", "testdata", "keys", table+".tsv"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			row := strings.Split(strings.TrimSpace(line), "\t")
			if row[0] == "ldm_key" {
				continue
			}
			var shape []int
			column := 1
			if len(row) > 2 {
				column = 2
			}
			if err := json.Unmarshal([]byte(row[column]), &shape); err != nil {
				t.Fatal(line, err)
			}
			n := 2 * kernel.Len(shape)
			header[prefix+row[0]] = map[string]any{"dtype": "F16", "shape": append([]int{}, shape...), "data_offsets": []int{at, at + n}}
			at += n
		}
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	for len(text)%8 != 0 { // so that tensors are views
		text = append(text, ' ')
	}
	text = append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(len(text)+at)); err != nil {
		t.Fatal(err)
	}
}

// rewrite copies a safetensors file to path, each tensor renamed by as or left out where that gives "".
func rewrite(t *testing.T, from, path string, metadata map[string]string, as func(name string) string, more ...format.Named) {
	t.Helper()
	f, err := format.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tensors := more
	for _, own := range f.Names() {
		tensor, err := f.Tensor(own)
		if err != nil {
			t.Fatal(err)
		}
		if name := as(own); name != "" {
			tensors = append(tensors, format.Named{Name: name, Tensor: tensor})
		}
	}
	if err := format.Write(path, tensors, metadata); err != nil {
		t.Fatal(err)
	}
}

// without leaves out what begins with prefix.
func without(prefix string) func(string) string {
	return func(name string) string {
		if strings.HasPrefix(name, prefix) {
			return ""
		}
		return name
	}
}

func keep(name string) string { return name }

// TestSingleFileVariants are the forms in which Stable Diffusion 1.x files occur.
func TestSingleFileVariants(t *testing.T) {
	source := golden.Path(t, "tiny-sd1", "tiny-sd1.safetensors")
	want := outputs(t, open(t, "tiny-sd1"))
	dir := t.TempDir()
	configs := os.DirFS(filepath.Dir(source))
	vae := filepath.Join(dir, "vae.safetensors")
	rewrite(t, source, vae, nil, func(name string) string {
		bare, ok := strings.CutPrefix(name, "first_stage_model.")
		if !ok {
			return ""
		}
		return bare
	})
	for i, test := range []struct {
		name, vae string
		as        func(string) string
		more      []format.Named
	}{
		{"of 2022, without text_model", "", func(n string) string { return strings.Replace(n, "transformer.text_model.", "transformer.", 1) }, nil},
		{"moving averages alone", "", func(n string) string {
			if rest, ok := strings.CutPrefix(n, "model."); ok {
				return "model_ema." + strings.ReplaceAll(rest, ".", "")
			}
			return n
		}, nil},
		{"moving averages beside", "", keep, []format.Named{
			{Name: "model_ema.diffusion_modelinput_blocks00weight", Tensor: kernel.New(kernel.F32, 3)},
			{Name: "betas", Tensor: kernel.New(kernel.F32, 10)},
			{Name: "cond_stage_model.transformer.text_model.embeddings.position_ids", Tensor: kernel.New(kernel.I32, 1, 77)}}},
		{"pruned of its VAE", vae, without("first_stage_model."), nil},
	} {
		path := filepath.Join(dir, fmt.Sprint(i)) // the name says nothing
		rewrite(t, source, path, nil, test.as, test.more...)
		m, err := Open(path, Options{VAE: test.vae, Configs: configs})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		defer m.Close()
		for name, got := range outputs(t, m) {
			if !bytes.Equal(got, want[name]) {
				t.Errorf("%s: the output of %s differs", test.name, name)
			}
		}
	}
}

func TestSingleFileRefusals(t *testing.T) {
	source := golden.Path(t, "tiny-sd1", "tiny-sd1.safetensors")
	dir := t.TempDir()
	bare := filepath.Join(dir, "no-vae")
	rewrite(t, source, bare, nil, without("first_stage_model."))
	deaf := filepath.Join(dir, "no-text")
	rewrite(t, source, deaf, nil, without("cond_stage_model."))
	for _, test := range []struct {
		path, says string
		o          Options
		kind       engine.Kind
	}{
		{bare, "holds no VAE", Options{}, engine.Unsupported},
		{bare, "a VAE with encoder and decoder is needed", Options{VAE: bare}, engine.Unsupported},
		{deaf, "without a text encoder", Options{}, engine.Unsupported},
		{source, "give this model as a folder", Options{}, engine.Unsupported}, // its heads cannot be seen
		{source, "choose epsilon or v", Options{Prediction: "x", Configs: os.DirFS(filepath.Dir(source))}, engine.BadInput},
		{golden.Path(t, "tiny-sd1"), "the model's [8 16 32 32]", Options{VAE: golden.Path(t, "tiny-sd2", "tiny-sd2.safetensors")}, engine.BadFile},
		{golden.Path(t, "tiny-sdxl"), "SDXL", Options{}, engine.Unsupported},
		{golden.Path(t, "tiny-sdxl", "tiny-sdxl.safetensors"), "Stable Diffusion XL", Options{}, engine.Unsupported},
		{golden.Path(t, "files", "lora.safetensors"), "this is a LoRA", Options{}, engine.Unsupported},
		{golden.Path(t, "files", "ti-a1111.safetensors"), "this is a textual inversion", Options{}, engine.Unsupported},
		{golden.Path(t, "tiny-sd1", "vae", "diffusion_pytorch_model.safetensors"), "this is a VAE", Options{}, engine.Unsupported},
		{golden.Path(t, "tiny-sd1", "unet", "diffusion_pytorch_model.safetensors"), "this is the UNet alone", Options{}, engine.Unsupported},
		{golden.Path(t, "tiny-sd1", "text_encoder", "model.safetensors"), "this is a text encoder", Options{}, engine.Unsupported},
		{golden.Path(t, "blip", "model.safetensors"), "this is a BLIP captioner", Options{}, engine.Unsupported},
		{golden.Path(t, "blip"), "this is a BLIP captioner", Options{}, engine.Unsupported},
		{golden.Path(t, "tiny-sd1", "vae"), "this is a VAE", Options{}, engine.Unsupported},
		{golden.Path(t, "tiny-sd1", "subset.ckpt"), "middle block is missing", Options{}, engine.BadFile},
		{golden.Path(t, "unet.safetensors"), "tensors whose use is not known", Options{}, engine.Unsupported},
		{filepath.Join(dir, "absent"), "no such file", Options{}, engine.NotFound},
	} {
		m, err := Open(test.path, test.o)
		if err == nil {
			m.Close()
		}
		if engine.KindOf(err) != test.kind || !strings.Contains(fmt.Sprint(err), test.says) || strings.Contains(fmt.Sprint(err), "\n") {
			t.Errorf("%s: %v, want kind %v and %q", test.path, err, test.kind, test.says)
		}
		if test.kind == engine.Unsupported && strings.Contains(test.says, "this is") && !strings.Contains(fmt.Sprint(err), format.Trains) {
			t.Errorf("%s: the refusal %v does not say what Easel trains", test.path, err)
		}
	}
}

// TestPredictionOfSingleFile goes through what may say what the UNet predicts.
func TestPredictionOfSingleFile(t *testing.T) {
	source := golden.Path(t, "tiny-sd1", "tiny-sd1.safetensors")
	for _, test := range []struct {
		name, yaml, chosen, want string
		metadata                 map[string]string
		more                     []format.Named
	}{
		{"nothing", "", "", "epsilon", nil, nil},
		{"choice", "", "v", "v", nil, nil},
		{"choice over yaml", "parameterization: v", "epsilon", "epsilon", nil, nil},
		{"yaml", "model:\n  params:\n    parameterization: \"v\"\n", "", "v", nil, nil},
		{"yaml over metadata", "model:\n", "", "epsilon", map[string]string{"modelspec.prediction_type": "v"}, nil},
		{"metadata", "", "", "v", map[string]string{"modelspec.prediction_type": "v"}, nil},
		{"marker", "", "", "v", nil, []format.Named{{Name: "v_pred", Tensor: kernel.New(kernel.F32, 0)}}},
	} {
		path := filepath.Join(t.TempDir(), "m.safetensors")
		rewrite(t, source, path, test.metadata, keep, test.more...)
		if test.yaml != "" {
			if err := os.WriteFile(strings.TrimSuffix(path, ".safetensors")+".yaml", []byte(test.yaml), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		m, err := Open(path, Options{Prediction: test.chosen, Configs: os.DirFS(filepath.Dir(source))})
		if err != nil {
			t.Fatal(err)
		}
		if m.Prediction != test.want {
			t.Errorf("%s: %s", test.name, m.Prediction)
		}
		m.Close()
	}
}

// TestBuiltinIsReadInPlace: the window opens it for each plan, and its weights are in the program already.
func TestBuiltinIsReadInPlace(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, err := Load(builtin.Model())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.FileType(UNet); err != nil { // asks for each tensor
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 8<<20 { // its files have 71 MB
		t.Errorf("opening the built-in model takes %d MB", taken>>20)
	}
}
