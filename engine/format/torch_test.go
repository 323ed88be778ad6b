package format_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
)

// TestPicklesOfGolden compares torch's own files with the safetensors file of the same tensors: one is transposed, two
// share a storage, and there are float16, int32, int64 and a scalar.
func TestPicklesOfGolden(t *testing.T) {
	want, err := format.Open(golden.Path(t, "tiny-sd1", "subset-expected.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	for _, name := range []string{"subset.ckpt", "subset-legacy.ckpt"} {
		path := golden.Path(t, "tiny-sd1", name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		mapped, err := format.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer mapped.Close()
		inMemory, err := format.OpenFS(fstest.MapFS{"x": {Data: data}}, "x")
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(slices.Sorted(slices.Values(want.Names())), slices.Sorted(slices.Values(mapped.Names()))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		for _, f := range []*format.File{mapped, inMemory} {
			for _, tensor := range want.Names() {
				a, errA := want.Tensor(tensor)
				b, errB := f.Tensor(tensor)
				if errA != nil || errB != nil {
					t.Fatal(tensor, errA, errB)
				}
				size := a.Len() * a.DType.Size()
				if a.DType != b.DType || !cmp.Equal(a.Shape, b.Shape) || !bytes.Equal(a.Data[:size], b.Data[:size]) || !b.Frozen {
					t.Errorf("%s: %s differs", name, tensor)
				}
				dtypeA, _, _ := want.Info(tensor)
				if dtypeB, shape, ok := f.Info(tensor); !ok || dtypeA != dtypeB || !cmp.Equal(shape, b.Shape) {
					t.Errorf("%s: %s is %s %v", name, tensor, dtypeB, shape)
				}
			}
		}
	}
}

func whole() []format.Named {
	return []format.Named{
		{Name: "f", Tensor: kernel.FromF32([]float32{1, 2, 3, 4, 5, 6}, 2, 3)},
		{Name: "g", Tensor: kernel.FromF32([]float32{7}, 1)},
		{Name: "i", Tensor: kernel.New(kernel.I32, 2)},
	}
}

func TestPicklesOfBothForms(t *testing.T) {
	mixed := append(whole(), format.Named{Name: "h", Tensor: kernel.New(kernel.F16, 2, 2)}, format.Named{Name: "b", Tensor: kernel.New(kernel.BF16, 4)})
	for name, data := range map[string][]byte{"zip": torchZip(stateDict(mixed...)), "stream": torchStream(stateDict(whole()...), 4)} {
		f, err := format.Parse(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		v, err := f.Tensor("f")
		if err != nil || !cmp.Equal(v.F32(), []float32{1, 2, 3, 4, 5, 6}) {
			t.Errorf("%s: %v, %v", name, v, err)
		}
		if dtype, _, ok := f.Info("h"); name == "zip" && (!ok || dtype != "F16") || f.Metadata()["epoch"] != "3" {
			t.Errorf("%s: h is %s, metadata %v", name, dtype, f.Metadata())
		}
	}
}

// object is a pickle of one dictionary over one storage of six float32.
func object(pairs ...string) torchObject {
	six := kernel.FromF32([]float32{0, 1, 2, 3, 4, 5}, 6)
	return torchObject{"}(" + strings.Join(pairs, "") + "u", [][]byte{six.Data}}
}

func six(offset int, shape, strides []int) string {
	return unicode("a") + pickledTensor("FloatStorage", "0", 6, offset, shape, strides)
}

// TestPickledTensors has tensors that are views in their storages.
func TestPickledTensors(t *testing.T) {
	for name, test := range map[string]struct {
		pickle string
		tensor string
		want   []float32
	}{
		"whole":         {six(0, []int{2, 3}, []int{3, 1}), "a", []float32{0, 1, 2, 3, 4, 5}},
		"offset":        {six(4, []int{2}, []int{1}), "a", []float32{4, 5}},
		"scalar":        {six(5, nil, nil), "a", []float32{5}},
		"transposed":    {six(0, []int{3, 2}, []int{1, 3}), "a", []float32{0, 3, 1, 4, 2, 5}},
		"three axes":    {six(0, []int{1, 3, 2}, []int{99, 1, 3}), "a", []float32{0, 3, 1, 4, 2, 5}},
		"one dimension": {six(0, []int{2, 1}, []int{1, 7}), "a", []float32{0, 1}},
		"every other":   {six(1, []int{3}, []int{2}), "a", []float32{1, 3, 5}},
		"expanded":      {six(2, []int{3}, []int{0}), "a", []float32{2, 2, 2}},
		"empty":         {six(0, []int{0, 5}, []int{5, 1}), "a", nil},
		"parameter":     {unicode("p") + "ctorch._utils\n_rebuild_parameter\n(" + strings.TrimPrefix(six(0, []int{1}, []int{1}), unicode("a")) + "\x89NtR", "p", []float32{0}},
		"nested":        {unicode("o") + "}(" + six(3, []int{1}, []int{1}) + "u", "o.a", []float32{3}},
		"in a tuple":    {"K\x05(" + "}(" + six(3, []int{1}, []int{1}) + "u" + "}t", "5.0.a", []float32{3}},
		"a dictionary of parameters": {unicode("s") + "ctorch.nn.modules.container\nParameterDict\n)\x81}(" + unicode("_parameters") + "}(" + six(3, []int{1}, []int{1}) + "uub", "s.a",
			[]float32{3}},
		"typed": {unicode("t") + "ctorch._utils\n_rebuild_tensor_v3\n((" + unicode("storage") + "ctorch.storage\nUntypedStorage\n" + unicode("0") + unicode("cpu") +
			integer(24) + "tQ" + integer(1) + integers([]int{1}) + integers([]int{1}) + "\x89Nctorch\nfloat32\ntR", "t", []float32{1}},
	} {
		for form, data := range map[string][]byte{"zip": torchZip(object(test.pickle)), "stream": torchStream(object(test.pickle), 4)} {
			if name == "typed" && form == "stream" {
				continue
			}
			f, err := format.Parse(data)
			if err != nil {
				t.Errorf("%s, %s: %v", name, form, err)
				continue
			}
			v, err := f.Tensor(test.tensor)
			if err != nil {
				t.Errorf("%s, %s: %v in %v", name, form, err, f.Names())
			} else if got := v.Floats(); len(got) != len(test.want) || !slices.Equal(got, test.want) {
				t.Errorf("%s, %s: %v, want %v", name, form, got, test.want)
			}
		}
	}
}

func TestPicklesRefused(t *testing.T) {
	ok := six(0, []int{6}, []int{1})
	compressed := zipOf(object(ok), zip.Deflate)
	stream := torchStream(object(ok), 4)
	other := object(ok)
	other.storages[0] = other.storages[0][:20]
	deep := object(strings.Repeat(unicode("d")+"}(", 20) + ok + strings.Repeat("u", 20))
	// many is one tensor many times below one key.
	many := func(key, times int) torchObject {
		one := strings.TrimPrefix(six(0, []int{1}, []int{1}), unicode("a"))
		return object(unicode(strings.Repeat("k", key)) + "(" + one + "q\x00" + strings.Repeat("h\x00", times-1) + "t")
	}
	for name, test := range map[string]struct {
		data []byte
		kind engine.Kind
		says string
	}{
		"call":               {torchZip(object(unicode("x") + "cposix\nsystem\n" + unicode("ls") + "\x85R")), engine.Unsupported, "posix.system"},
		"call in the stream": {torchStream(object(unicode("x")+"cbuiltins\neval\n"+unicode("1")+"\x85R"), 4), engine.Unsupported, "builtins.eval"},
		"too far":            {torchZip(object(six(1, []int{6}, []int{1}))), engine.BadFile, "beyond the storage"},
		"stride too far":     {torchZip(object(six(0, []int{2}, []int{6}))), engine.BadFile, "beyond the storage"},
		"huge offset":        {torchZip(object(six(1<<30, []int{1}, []int{1}))), engine.BadFile, "beyond the storage"},
		"huge expansion":     {torchZip(object(six(0, []int{1 << 30, 1 << 30}, []int{0, 0}))), engine.BadFile, "too large"},
		"large expansion":    {torchZip(object(six(0, []int{1 << 20}, []int{0}))), engine.BadFile, "larger than the file"},
		"negative":           {torchZip(object(six(-1, []int{1}, []int{1}))), engine.BadFile, "damaged"},
		"negative stride":    {torchZip(object(six(0, []int{1}, []int{-1}))), engine.BadFile, "usable size"},
		"storage cut off":    {torchZip(other), engine.BadFile, "20 bytes of 24"},
		"storage missing":    {torchZip(torchObject{object(ok).pickle, nil}), engine.BadFile, "data/0 is missing"},
		"compressed":         {compressed, engine.BadFile, "compressed"},
		"stream cut off":     {stream[:len(stream)-10], engine.BadFile, "cut off within storage"},
		"zip cut off":        {torchZip(object(ok))[:300], engine.BadFile, "damaged zip"},
		"long names":         {torchZip(many(100_000, 2000)), engine.Unsupported, "a name is longer"},
		"many names":         {torchStream(many(1000, 50_000), 4), engine.Unsupported, "names are larger than the file"},
		"no pickle":          {[]byte("PK\x03\x04 no zip"), engine.BadFile, "damaged zip"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := format.Parse(test.data)
		runtime.ReadMemStats(&after)
		if taken := (after.TotalAlloc - before.TotalAlloc) >> 20; taken > 20 {
			t.Errorf("%s: a file of %d bytes took %d MB", name, len(test.data), taken)
		}
		if engine.KindOf(err) != test.kind || !strings.Contains(fmt.Sprint(err), test.says) {
			t.Errorf("%s: %v, want kind %v and %q", name, err, test.kind, test.says)
		}
	}
	if f, err := format.Parse(torchZip(deep)); err != nil || len(f.Names()) != 0 {
		t.Errorf("what lies too deep was found: %v", err)
	}
	big := zipOf(object(ok), zip.Store)
	if _, err := format.Parse(bytes.Replace(big, []byte("archive/byteorderlittle"), []byte("archive/byteorderbig   "), 1)); engine.KindOf(err) != engine.BadFile {
		t.Errorf("big-endian: %v", err)
	}
}

// TestPickledCheckpoints writes golden's checkpoint as pickles, and opens and compares it.
func TestPickledCheckpoints(t *testing.T) {
	source := openCheckpoint(t, "tiny-sd1", "tiny-sd1.safetensors")
	var tensors []format.Named
	for _, own := range source.Names() {
		tensor, err := source.Tensor(own)
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, format.Named{Name: own, Tensor: tensor})
	}
	for name, data := range map[string][]byte{"zip": torchZip(stateDict(tensors...)), "stream": torchStream(stateDict(tensors...), 4)} {
		path := filepath.Join(t.TempDir(), "model") // the name says nothing
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := format.OpenCheckpoint(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		defer c.Close()
		for _, n := range tensors {
			got, err := c.Tensor(n.Name)
			if err != nil || !bytes.Equal(got.Data, n.Tensor.Data) || !cmp.Equal(got.Shape, n.Tensor.Shape) {
				t.Errorf("%s: %s differs, %v", name, n.Name, err)
			}
		}
	}
}

// TestTensorsAreViews: what lies in its order in the file is not copied, however often it is asked for.
func TestTensorsAreViews(t *testing.T) {
	for _, file := range []string{"tiny-sd1/tiny-sd1.safetensors", "tiny-sd1/subset.ckpt"} {
		f, err := format.Open(golden.Path(t, filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		views := 0
		for _, name := range f.Names() {
			a, errA := f.Tensor(name)
			b, errB := f.Tensor(name)
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			if &a.Data[0] == &b.Data[0] {
				views++
			}
		}
		copied := map[string]int{"tiny-sd1/tiny-sd1.safetensors": 0, "tiny-sd1/subset.ckpt": 2}[file] // transposed, and int64
		if views != len(f.Names())-copied {
			t.Errorf("%s: %d of %d tensors are views", file, views, len(f.Names()))
		}
	}
	c := openCheckpoint(t, "tiny-sd2", "tiny-sd2.safetensors")
	text, err := c.Component("text_encoder")
	if err != nil {
		t.Fatal(err)
	}
	const q, k = "text_model.encoder.layers.0.self_attn.q_proj.weight", "text_model.encoder.layers.0.self_attn.k_proj.weight"
	joined, _, _ := c.Find("text_encoder", q)
	all, errAll := c.Tensor(joined)
	first, errQ := text.Tensor(q)
	second, errK := text.Tensor(k)
	if errAll != nil || errQ != nil || errK != nil || &all.Data[0] != &first.Data[0] || &all.Data[len(first.Data)] != &second.Data[0] {
		t.Error("query and key are no views of the joined tensor", errAll, errQ, errK)
	}
}
