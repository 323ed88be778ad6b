package textualinversion_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/ref"
	"easel/engine/method"
	_ "easel/engine/method/textualinversion"
	"easel/engine/model"
)

func loadTiny(t *testing.T) *model.Model {
	t.Helper()
	m, err := model.Load(os.DirFS(golden.Path(t, "tiny-sd1")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func start(t *testing.T, m *model.Model, job engine.Job) (method.Tuning, error) {
	t.Helper()
	me, err := method.ByName("textual-inversion")
	if err != nil {
		t.Fatal(err)
	}
	return me.Start(m, job)
}

func mustStart(t *testing.T, m *model.Model, job engine.Job) method.Tuning {
	t.Helper()
	tuning, err := start(t, m, job)
	if err != nil {
		t.Fatal(err)
	}
	return tuning
}

// encode is what the text encoder makes of a prompt.
func encode(t *testing.T, m *model.Model, a model.Adapter, prompt string) []float32 {
	t.Helper()
	g := graph.New()
	in := g.Indices("ids", 1, model.Tokens)
	f, err := graph.NewFunction(g, ref.New(), []*graph.Node{in}, m.BuildText(g, a, in, 1), graph.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out, err := f.Call(t.Context(), m.IDs(prompt))
	if err != nil {
		t.Fatal(err)
	}
	return out.Floats()
}

// TestEveryFileHasTheEffectOfTraining: golden's trained word, written by other programs in each form, gives golden's
// output of the text encoder; so do our own files of it.
func TestEveryFileHasTheEffectOfTraining(t *testing.T) {
	f := golden.Open(t, "train/textual_inversion.safetensors")
	want := f.Tensor("last_hidden_state").F32()[:77*12]
	ids := kernel.New(kernel.I32, 1, 77)
	for i, v := range f.Ints("in/input_ids")[:77] {
		ids.I32()[i] = int32(v)
	}
	files := []string{}
	for _, name := range []string{"ti-a1111.safetensors", "ti-a1111.pt", "ti-diffusers.safetensors", "ti-diffusers.bin"} {
		files = append(files, golden.Path(t, "files", name))
	}
	tuning := mustStart(t, loadTiny(t), engine.Job{Word: "easel-pet", Class: "cat"})
	copy(tuning.Parameters()[0].Value.F32(), f.Tensor("after/embedding").F32())
	for form, name := range map[string]string{"a1111": "easel-pet.safetensors", "diffusers": "other.safetensors", "pt": "easel-pet.pt"} {
		path := filepath.Join(t.TempDir(), name)
		if err := tuning.Export(path, form, method.About{}, kernel.F16); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	for _, path := range files {
		m := loadTiny(t)
		a, err := method.Apply(m, path, 1)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		g := graph.New()
		in := g.Indices("ids", 1, 77)
		encode, err := graph.NewFunction(g, ref.New(), []*graph.Node{in}, m.BuildText(g, a, in, 1), graph.Options{})
		if err != nil {
			t.Fatal(err)
		}
		out, err := encode.Call(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		f.CheckWithin(t, f.Tolerance("last_hidden_state", "last_hidden_state"), "last_hidden_state", pad(out.F32(), want, f))
		encode.Close()
	}
}

// pad completes the first row of golden's tensor by its second.
func pad(got, want []float32, f *golden.File) []float32 {
	return append(slices.Clone(got), f.Tensor("last_hidden_state").F32()[len(want):]...)
}

// TestVectorsBeginAsWords: in order where there are as many or more vectors, averaged where there are fewer.
func TestVectorsBeginAsWords(t *testing.T) {
	m := loadTiny(t)
	known, err := m.WordVectors("a red monster toy")
	if err != nil {
		t.Fatal(err)
	}
	v := known.F32() // 4 words
	mean := func(a, b int) []float32 {
		out := make([]float32, 12)
		for i := range out {
			out[i] = float32((float64(v[12*a+i]) + float64(v[12*b+i])) / 2)
		}
		return out
	}
	at := func(i int) []float32 { return v[12*i:][:12] }
	for n, want := range map[string][][]float32{
		"2": {mean(0, 1), mean(2, 3)},
		"4": {at(0), at(1), at(2), at(3)},
		"6": {at(0), at(0), at(1), at(2), at(2), at(3)},
	} {
		tuning := mustStart(t, m, engine.Job{Word: "zorbit" + n, Settings: map[string]string{"init": "a red monster toy", "vectors": n}})
		if diff := cmp.Diff(slices.Concat(want...), tuning.Parameters()[0].Value.F32(), cmpopts.EquateApprox(0, 1e-7)); diff != "" {
			t.Errorf("%s vectors: %s", n, diff)
		}
		if tuning.WeightChange() != 0 {
			t.Errorf("%s vectors changed by %g before training", n, tuning.WeightChange())
		}
	}
	// Two vectors of one word are that word twice.
	mustStart(t, m, engine.Job{Word: "twice-zorbit", Class: "cat", Settings: map[string]string{"vectors": "2"}})
	tuning := mustStart(t, m, engine.Job{Word: "zorbit-once", Class: "cat", Settings: map[string]string{"vectors": "1"}})
	if diff := cmp.Diff(encode(t, m, nil, "a cat on a mat"), encode(t, m, tuning, "a zorbit-once on a mat")); diff != "" {
		t.Errorf("an untrained word differs from the one it began as: %s", diff)
	}
}

// TestSeveralWords are trained at once, each with an id, a beginning and a file of its own.
func TestSeveralWords(t *testing.T) {
	m := loadTiny(t)
	tuning := mustStart(t, m, engine.Job{Word: "zorbit", Class: "robot", Settings: map[string]string{"vectors": "1", "words": "zorb-style = painting, blorp=cat"}})
	if n := len(tuning.Parameters()); n != 3 {
		t.Fatalf("%d parameters, want 3", n)
	}
	if diff := cmp.Diff(encode(t, m, nil, "a robot and a cat, painting"), encode(t, m, tuning, "a zorbit and a blorp, zorb-style")); diff != "" {
		t.Errorf("untrained words differ from those they began as: %s", diff)
	}
	tuning.Parameters()[2].Value.F32()[3] += 1
	if slices.Equal(encode(t, m, nil, "a cat"), encode(t, m, tuning, "a blorp")) {
		t.Error("a changed vector changes nothing")
	}
	var names []string
	for _, c := range method.CompanionsOf(tuning, "pt") {
		names = append(names, c.Name+c.Ending)
		path := filepath.Join(t.TempDir(), c.Name+c.Ending)
		if err := c.Export(path, method.About{}, kernel.F16); err != nil {
			t.Fatal(err)
		}
		if e, err := format.ReadEmbedding(path); err != nil || e.Word != c.Name {
			t.Errorf("%s: %q (%v)", path, e.Word, err)
		}
	}
	if diff := cmp.Diff([]string{"zorb-style.pt", "blorp.pt"}, names); diff != "" {
		t.Errorf("companions: %s", diff)
	}
}

// TestKeptNorm: after a step each vector is as long as the words it was made of, and points where the step has moved it.
func TestKeptNorm(t *testing.T) {
	m := loadTiny(t)
	known, err := m.WordVectors("red cat")
	if err != nil {
		t.Fatal(err)
	}
	want := (length(known.F32()[:12]) + length(known.F32()[12:])) / 2
	for setting, keeps := range map[string]bool{"on": true, "off": false} {
		tuning := mustStart(t, m, engine.Job{Word: "zorbit-" + setting, Class: "red cat", Settings: map[string]string{"vectors": "1", "keep-norm": setting}})
		v := tuning.Parameters()[0].Value.F32()
		for i := range v {
			v[i] = float32(3 * i)
		}
		tuning.AfterStep(0)
		if keeps != (math.Abs(length(v)-want) < 1e-6) || math.Abs(float64(v[8]-4*v[2])) > 1e-6 {
			t.Errorf("keep-norm %s: length %g, that of the words %g; values %v", setting, length(v), want, v)
		}
	}
}

func length(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

// TestTrainingGoesOnFromAFile of any form.
func TestTrainingGoesOnFromAFile(t *testing.T) {
	path := golden.Path(t, "files", "ti-diffusers.bin")
	m := loadTiny(t)
	tuning := mustStart(t, m, engine.Job{Word: "zorbit", From: path})
	e, err := format.ReadEmbedding(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e.Vectors.F32(), tuning.Parameters()[0].Value.F32()); diff != "" || tuning.Settings()["vectors"] != "2" {
		t.Errorf("%v: %s", tuning.Settings(), diff)
	}
	if _, err := start(t, m, engine.Job{Word: "zorbit", From: path, Settings: map[string]string{"vectors": "5"}}); engine.KindOf(err) != engine.BadInput {
		t.Errorf("another number of vectors: %v", err)
	}
}

// TestOutlinesHaveWordsOfTheirOwn: what is planned on an outline does not take the word.
func TestOutlinesHaveWordsOfTheirOwn(t *testing.T) {
	m := loadTiny(t)
	mustStart(t, m.Outline(), engine.Job{Word: "zorbit", Settings: map[string]string{"vectors": "5"}})
	mustStart(t, m, engine.Job{Word: "zorbit", Settings: map[string]string{"vectors": "2"}})
}

func TestJobsThatCannotBegin(t *testing.T) {
	m := loadTiny(t)
	for name, c := range map[string]struct {
		job  engine.Job
		says string
	}{
		"known word":      {engine.Job{Word: "dog"}, "already knows"},
		"no word":         {engine.Job{}, "empty"},
		"two words":       {engine.Job{Word: "blue zorbit"}, "no spaces"},
		"many vectors":    {engine.Job{Word: "a-b", Settings: map[string]string{"vectors": "76"}}, "vectors must be"},
		"no vectors":      {engine.Job{Word: "a-b", Settings: map[string]string{"vectors": "0"}}, "vectors must be"},
		"twice":           {engine.Job{Word: "a-b", Settings: map[string]string{"words": "A-B=cat"}}, "taught twice"},
		"norm":            {engine.Job{Word: "a-b", Settings: map[string]string{"keep-norm": "perhaps"}}, "choose one"},
		"new from new":    {engine.Job{Word: "a-b", Settings: map[string]string{"words": "c-d=a-b"}}, "does not know yet"},
		"another model's": {engine.Job{Word: "a-b", From: wide(t)}, "another model"},
	} {
		if _, err := start(t, m, c.job); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// wide is an embedding for a text encoder 16 wide.
func wide(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "wide.safetensors")
	e := format.Embedding{Word: "wide", Vectors: kernel.FromF32(make([]float32, 16), 1, 16)}
	if err := e.WriteA1111(path, format.EmbeddingMeta{Base: format.BaseSD1}); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAppliedFiles of another model are refused, and a weight multiplies the vectors.
func TestAppliedFiles(t *testing.T) {
	if _, err := method.Apply(loadTiny(t), wide(t), 1); engine.KindOf(err) != engine.BadFile {
		t.Errorf("another model's file: %v", err)
	}
	m := loadTiny(t)
	none, err := method.Apply(m, golden.Path(t, "files", "ti-diffusers.bin"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(encode(t, m, none, "a easel-pet"), encode(t, m, nil, "a easel-pet")) {
		t.Error("with weight 0 the vectors are not zero")
	}
}
