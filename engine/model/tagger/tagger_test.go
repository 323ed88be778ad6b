package tagger

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/graph"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
	"easel/engine/kernel/onednn"
	"easel/engine/kernel/ref"
	"easel/engine/model/vit"

	"github.com/google/go-cmp/cmp"
)

func backends(t *testing.T) map[string]kernel.Backend {
	t.Helper()
	all := map[string]kernel.Backend{"ref": ref.New()}
	if onednn.Available() {
		b, err := onednn.New(onednn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		all["onednn"] = b
	}
	return all
}

func open(path string) (*Model, error) {
	files, err := format.OpenCaptionerAt(path)
	if err != nil {
		return nil, err
	}
	return From(files)
}

// goldenModel is the tiny tagger.
func goldenModel(t *testing.T) *Model {
	t.Helper()
	m, err := open(golden.Path(t, "tagger"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestGolden: what timm's vision transformer computes.
func TestGolden(t *testing.T) {
	f := golden.Open(t, "tagger/tagger.safetensors")
	m := goldenModel(t)
	all := f.Tensor("in/pixels")
	side := all.Shape[2]
	for name, backend := range backends(t) {
		t.Run(name, func(t *testing.T) {
			nodes := map[string]*graph.Node{}
			b := &vit.Net{Graph: graph.New(), Weights: m.weights, Trace: func(name string, n *graph.Node) { nodes[name] = n }}
			image := b.Input("image", 1, side, side, 3)
			logits := m.build(b, image)
			named := map[string]*graph.Node{"first_block": nodes["vision_model.encoder.layers.0"], "states": nodes["vision"], "logits": logits}
			vm, err := graph.Compile(b.Graph, backend, []*graph.Node{named["first_block"], named["states"], logits}, graph.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer vm.Close()
			got := map[string][]float32{}
			for picture := range all.Shape[0] {
				if err := vm.Let(image, channelsLast(format.Ref{Index: picture, Of: all.Shape[0]}.Rows(all))); err != nil {
					t.Fatal(err)
				}
				if err := vm.RunAll(); err != nil {
					t.Fatal(err)
				}
				for name, n := range named {
					got[name] = append(got[name], vm.Value(n).Floats()...)
				}
			}
			for name, values := range got {
				f.Check(t, "", name, values)
			}
		})
	}
}

// channelsLast turns [1, c, h, w] into [1, h, w, c].
func channelsLast(t *kernel.Tensor) *kernel.Tensor {
	c, h, w := t.Shape[1], t.Shape[2], t.Shape[3]
	out := kernel.New(kernel.F32, 1, h, w, c)
	for i, v := range t.F32() {
		out.F32()[i%(h*w)*c+i/(h*w)] = v
	}
	return out
}

// shapes is a file of tensors of which there are only the shapes.
type shapes map[string][]int

func (s shapes) Names() []string      { return nil }
func (s shapes) Has(name string) bool { return s[name] != nil }
func (s shapes) Info(name string) (string, []int, bool) {
	return "F32", s[name], s[name] != nil
}
func (s shapes) Tensor(name string) (*kernel.Tensor, error) {
	return &kernel.Tensor{Shape: s[name], Frozen: true}, nil
}

// TestNamesAndShapes: the graph asks for exactly the published file's tensors, whose sizes it reads from their shapes.
func TestNamesAndShapes(t *testing.T) {
	s := shapes{}
	for name, shape := range keys(t) {
		s[name] = shape
	}
	c, err := vit.Of(s, published)
	if err != nil {
		t.Fatal(err)
	}
	want := vit.Config{HiddenSize: 768, IntermediateSize: 3072, Layers: 12, Heads: 12, ImageSize: 448, PatchSize: 16, HiddenAct: "gelu_tanh", LayerNormEps: 1e-6, Patches: true}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	a := asked{}
	g := graph.New()
	m := &Model{Vision: c, Tags: make([]Tag, 10861)}
	if m.build(&vit.Net{Graph: g, Weights: a}, g.Input("image", 1, 448, 448, 3)); g.Err() != nil {
		t.Fatal(g.Err())
	}
	if diff := cmp.Diff(map[string][]int(s), map[string][]int(a)); diff != "" {
		t.Error(diff)
	}
}

// asked remembers the shapes that a builder asks for.
type asked map[string][]int

func (a asked) Tensor(name string, shape ...int) (*kernel.Tensor, error) {
	a[name] = shape
	return &kernel.Tensor{Shape: shape, Frozen: true}, nil
}

// keys are the published tagger's tensors, in the names of transformers' BLIP.
func keys(t *testing.T) map[string][]int {
	t.Helper()
	path := filepath.Join(golden.Dir(t), "..", "spec", "keys", "wd_vit_v3_keys.tsv")
	if _, err := os.Stat(path); err != nil {
		path = "../../../../shared/spec/keys/wd_vit_v3_keys.tsv"
	}
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("%s is absent", path)
	}
	defer f.Close()
	rename := strings.NewReplacer("pos_embed", "vision_model.embeddings.position_embedding", "patch_embed.proj", "vision_model.embeddings.patch_embedding",
		"blocks", "vision_model.encoder.layers", "attn.qkv", "self_attn.qkv", "attn.proj", "self_attn.projection", "norm1", "layer_norm1", "norm2", "layer_norm2")
	all := map[string][]int{}
	for s := bufio.NewScanner(f); s.Scan(); {
		name, text, _ := strings.Cut(s.Text(), "\t")
		if strings.HasPrefix(name, "norm.") {
			name = "vision_model.post_layer" + name
		}
		var shape []int
		for d := range strings.SplitSeq(strings.TrimSpace(text), "x") {
			var n int
			fmt.Sscan(d, &n)
			shape = append(shape, n)
		}
		all[rename.Replace(name)] = shape
	}
	return all
}

func TestFromRefuses(t *testing.T) {
	folder := func(change map[string]string) fstest.MapFS {
		fsys := fstest.MapFS{}
		for _, name := range []string{"model.safetensors", "selected_tags.csv"} {
			text, err := os.ReadFile(golden.Path(t, "tagger", name))
			if err != nil {
				t.Fatal(err)
			}
			fsys[name] = &fstest.MapFile{Data: text}
		}
		for name, text := range change {
			if fsys[name] = (&fstest.MapFile{Data: []byte(text)}); text == "" {
				delete(fsys, name)
			}
		}
		return fsys
	}
	for name, c := range map[string]struct {
		change map[string]string
		kind   engine.Kind
		says   string
	}{
		"no list":        {map[string]string{"selected_tags.csv": ""}, engine.NotFound, "put its selected_tags.csv into its folder"},
		"another's list": {map[string]string{"selected_tags.csv": "name,category\na,0\nb,0\n"}, engine.BadFile, "has 2 tags and the tagger 36 scores"},
		"no list at all": {map[string]string{"selected_tags.csv": "\xff\xfe"}, engine.BadFile, "no list of tags"},
		"config":         {map[string]string{"config.json": "{"}, engine.BadFile, "config.json"},
		"activation":     {map[string]string{"config.json": `{"model_args":{"act_layer":"relu"}}`}, engine.Unsupported, `"relu"`},
	} {
		files, err := format.OpenCaptioner(folder(c.change))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := From(files); engine.KindOf(err) != c.kind || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	files, err := format.OpenCaptioner(folder(map[string]string{"config.json": `{"model_args":{"act_layer":"gelu"}}`}))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := From(files); err != nil || m.Vision.HiddenAct != "gelu" {
		t.Errorf("with exact GELU: %v", err)
	}
	if _, err := open(golden.Path(t, "blip")); engine.KindOf(err) != engine.Unsupported || !strings.Contains(err.Error(), "BLIP") {
		t.Errorf("BLIP: %v", err)
	}
}

func TestParseTags(t *testing.T) {
	got, err := ParseTags([]byte("\ufefftag_id,name,category,count\r\n1,general,9,5\r\n2,long_hair,0,4\r\n3,^_^,0,3\r\n4,rem_(re:zero),4,3\r\n5,\"a,\nb\"\"\",0,1\r\n"))
	want := []Tag{{"general", Rating}, {"long hair", General}, {"^_^", General}, {"rem (re:zero)", Character}, {`a b"`, General}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for name, text := range map[string]string{
		"empty": "", "no header": "1,a,0,1\n", "category": "name,category\na,b\n", "columns": "name,category\na\n", "quotes": "name,category\n\"a,0\n",
		"too many": "name,category\n" + strings.Repeat("a,0\n", maxTags+1), "no text": "name,category\n\xff,0\n",
	} {
		if _, err := ParseTags([]byte(text)); engine.KindOf(err) != engine.BadFile {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParseTags: whatever the file, a tag is on one line and has no comma.
func FuzzParseTags(f *testing.F) {
	f.Add([]byte("tag_id,name,category,count\n1,general,9,5\n2,long_hair,0,4\n3,^_^,0,3\n"))
	f.Add([]byte("name,category\n\"a,\"\"\nb\",0\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		tags, err := ParseTags(text)
		if err != nil && engine.KindOf(err) != engine.BadFile {
			t.Fatal(err)
		}
		for _, tag := range tags {
			if strings.ContainsAny(tag.Text, ",\n\r") {
				t.Errorf("%q", tag.Text)
			}
		}
	})
}
