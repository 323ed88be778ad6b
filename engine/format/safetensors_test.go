package format_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
	"easel/engine/internal/golden"
	"easel/engine/kernel"
)

// raw builds a file from a header and data.
func raw(header, data string) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

const f32 = `{"dtype":"F32","shape":[%s],"data_offsets":[%d,%d]}`

func TestParseAcceptsWhatTheFormatAllows(t *testing.T) {
	tests := []struct {
		name, header, data string
		names              []string
	}{
		{"no tensors", `{}`, "", nil},
		{"padding", `{}      `, "", nil},
		{"scalar", `{"a":` + fmt.Sprintf(f32, "", 0, 4) + `}`, "1234", []string{"a"}},
		{"empty dimension", `{"a":` + fmt.Sprintf(f32, "0,7", 0, 0) + `,"b":` + fmt.Sprintf(f32, "1", 0, 4) + `}`, "1234", []string{"a", "b"}},
		{"header order is free", `{"b":` + fmt.Sprintf(f32, "1", 4, 8) + `,"a":` + fmt.Sprintf(f32, "1", 0, 4) + `}`, "12345678", []string{"a", "b"}},
		{"metadata", `{"__metadata__":{"format":"pt"}}`, "", nil},
		{"4-bit floats", `{"a":{"dtype":"F4","shape":[2,2],"data_offsets":[0,2]}}`, "12", []string{"a"}},
		{"unknown field", `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":{"x":[1]}}}`, "1", []string{"a"}},
	}
	for _, test := range tests {
		f, err := format.Parse(raw(test.header, test.data))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if d := cmp.Diff(append([]string{}, test.names...), f.Names()); d != "" {
			t.Errorf("%s: %s", test.name, d)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	one := fmt.Sprintf(f32, "1", 0, 4)
	huge := binary.LittleEndian.AppendUint64(nil, 100_000_001)
	tests := []struct {
		name string
		file []byte
		says string
	}{
		{"nothing", nil, "too short"},
		{"seven bytes", make([]byte, 7), "too short"},
		{"header too large", append(huge, '{'), "too large"},
		{"header length overflows", append([]byte{255, 255, 255, 255, 255, 255, 255, 255}, '{'), "too large"},
		{"ends within the header", raw(`{}`, "")[:9], "broken download"},
		{"empty header", raw(``, ""), "begin with {"},
		{"leading space", raw(` {}`, ""), "begin with {"},
		{"not UTF-8", raw("{\"\xff\":"+one+"}", "1234"), "UTF-8"},
		{"not JSON", raw(`{"a"}`, ""), "damaged"},
		{"text after", raw(`{}x`, ""), "follows"},
		{"second object", raw(`{}{}`, ""), "follows"},
		{"metadata number", raw(`{"__metadata__":{"a":1}}`, ""), "text belongs"},
		{"metadata list", raw(`{"__metadata__":[]}`, ""), "belongs"},
		{"same tensor twice", raw(`{"a":`+one+`,"a":`+one+`}`, "1234"), "twice"},
		{"same metadata twice", raw(`{"__metadata__":{"a":"1","a":"2"}}`, ""), "twice"},
		{"same field twice", raw(`{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "1234"), "twice"},
		{"no shape", raw(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, "1234"), "needed"},
		{"one offset", raw(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}`, "1234"), "needed"},
		{"unknown type", raw(`{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}`, "1234"), "F31"},
		{"negative dimension", raw(`{"a":`+fmt.Sprintf(f32, "-1", 0, 4)+`}`, "1234"), "usable size"},
		{"fraction", raw(`{"a":`+fmt.Sprintf(f32, "1.0", 0, 4)+`}`, "1234"), "usable size"},
		{"beyond 2^48", raw(`{"a":`+fmt.Sprintf(f32, "281474976710657", 0, 4)+`}`, "1234"), "usable size"},
		{"product overflows", raw(`{"a":`+fmt.Sprintf(f32, "281474976710656,281474976710656", 0, 4)+`}`, "1234"), "too large"},
		{"text as dimension", raw(`{"a":`+fmt.Sprintf(f32, `"1"`, 0, 4)+`}`, "1234"), "number belongs"},
		{"too many dimensions", raw(`{"a":`+fmt.Sprintf(f32, strings.Repeat("1,", 40)+"1", 0, 4)+`}`, "1234"), "more than"},
		{"half a byte", raw(`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}`, "1"), "whole number"},
		{"shape and offsets differ", raw(`{"a":`+fmt.Sprintf(f32, "2", 0, 4)+`}`, "1234"), "needs 8 bytes"},
		{"end before begin", raw(`{"a":`+fmt.Sprintf(f32, "1", 4, 0)+`}`, "1234"), "expected"},
		{"leading hole", raw(`{"a":`+fmt.Sprintf(f32, "1", 4, 8)+`}`, "12345678"), "expected"},
		{"inner hole", raw(`{"a":`+one+`,"b":`+fmt.Sprintf(f32, "1", 8, 12)+`}`, "123456789012"), "expected"},
		{"overlap", raw(`{"a":`+one+`,"b":`+fmt.Sprintf(f32, "1", 2, 6)+`}`, "123456"), "expected"},
		{"same place", raw(`{"a":`+one+`,"b":`+one+`}`, "1234"), "expected"},
		{"cut off", raw(`{"a":`+one+`}`, "123"), "cut off"},
		{"trailing byte", raw(`{"a":`+one+`}`, "12345"), "unknown bytes"},
		{"too many metadata", raw(`{"__metadata__":{`+many(100_001, `"%d":""`)+`}}`, ""), "more than 100000 names"},
		{"too many fields", raw(`{"a":{`+many(40, `"%d":1`)+`}}`, ""), "more than 32 names"},
		{"too many names in all", raw(`{`+many(55_000, `"%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0],`+many(20, `"f%d":0`)+`}`)+`}`, ""), "1200000 in all"},
		{"too deep", raw(`{"a":{"x":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+`}}`, ""), "deep"},
		{"unknown field that does not end", raw(`{"a":{"x":[1,{"y":2}`, ""), "damaged"},
		{"claims terabytes", raw(`{"a":`+fmt.Sprintf(f32, "1099511627776", 0, 4398046511104)+`}`, "1234"), "cut off"},
	}
	for _, test := range tests {
		_, err := format.Parse(test.file)
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v does not say %q", test.name, err, test.says)
		}
		if err != nil && engine.KindOf(err) != engine.BadFile {
			t.Errorf("%s: kind %v", test.name, engine.KindOf(err))
		}
		// The reader for files that cannot be mapped must agree.
		fsys := fstest.MapFS{"x.safetensors": {Data: test.file}}
		if _, err := format.OpenFS(fsys, "x.safetensors"); engine.KindOf(err) != engine.BadFile {
			t.Errorf("%s: OpenFS: %v", test.name, err)
		}
	}
}

// many is pattern n times, with the numbers from 0, separated by commas.
func many(n int, pattern string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(pattern, i)
	}
	return strings.Join(parts, ",")
}

func TestTensorConverts(t *testing.T) {
	le := binary.LittleEndian
	f64 := le.AppendUint64(nil, math.Float64bits(-2.5))
	i64 := le.AppendUint64(nil, uint64(1<<64-7))
	tests := []struct {
		dtype, data string
		want        []float32
		to          kernel.DType
	}{
		{"F64", string(f64), []float32{-2.5}, kernel.F32},
		{"I64", string(i64), []float32{-7}, kernel.I32},
		{"I16", "\xfe\xff", []float32{-2}, kernel.I32},
		{"U16", "\xfe\xff", []float32{65534}, kernel.I32},
		{"I8", "\xff", []float32{-1}, kernel.I32},
		{"U8", "\xff", []float32{255}, kernel.I32},
		{"BOOL", "\x01", []float32{1}, kernel.I32},
		{"BF16", "\x80\x3f", []float32{1}, kernel.BF16},
		{"F16", "\x00\x3c", []float32{1}, kernel.F16},
		// torch float8: 0x38 is 1 in e4m3fn, 0x7e its largest, 0x01 its smallest; 0x3c is 1 in e5m2.
		{"F8_E4M3", "\x38\xb8\x7e\x01\x09", []float32{1, -1, 448, 1.0 / 512, 9.0 / 512}, kernel.F16},
		{"F8_E5M2", "\x3c\x7b", []float32{1, 57344}, kernel.F16},
	}
	for _, test := range tests {
		header := fmt.Sprintf(`{"a":{"dtype":"%s","shape":[%d],"data_offsets":[0,%d]}}`, test.dtype, len(test.want), len(test.data))
		f, err := format.Parse(raw(header, test.data))
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Tensor("a")
		if err != nil {
			t.Errorf("%s: %v", test.dtype, err)
			continue
		}
		if d := cmp.Diff(test.want, got.Floats()); d != "" || got.DType != test.to || !got.Frozen {
			t.Errorf("%s: %v, frozen %v: %s", test.dtype, got.DType, got.Frozen, d)
		}
	}
}

func TestTensorRefuses(t *testing.T) {
	header := `{"big":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"u":{"dtype":"U64","shape":[1],"data_offsets":[8,16]},"c":{"dtype":"C64","shape":[1],"data_offsets":[16,24]}}`
	f, err := format.Parse(raw(header, "\x00\x00\x00\x80\x00\x00\x00\x00"+strings.Repeat("\xff", 16)))
	if err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]engine.Kind{"big": engine.BadFile, "u": engine.BadFile, "c": engine.Unsupported, "none": engine.NotFound} {
		if _, err := f.Tensor(name); engine.KindOf(err) != kind {
			t.Errorf("%s: %v, want kind %v", name, err, kind)
		}
	}
}

func TestEveryHeaderLengthReads(t *testing.T) {
	for pad := range 8 {
		header := fmt.Sprintf(`{"a":`+f32+`}`, "2", 0, 8) + strings.Repeat(" ", pad)
		data := "\x00\x00\x80\x3f\x00\x00\x00\x40"
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := os.WriteFile(path, raw(header, data), 0o644); err != nil {
			t.Fatal(err)
		}
		mapped, err := format.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		inMemory, err := format.OpenFS(fstest.MapFS{"x": {Data: raw(header, data)}}, "x")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []*format.File{mapped, inMemory} {
			a, err := f.Tensor("a")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]float32{1, 2}, a.F32()); d != "" {
				t.Errorf("padding %d: %s", pad, d)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestOpenNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.safetensors")
	if _, err := format.Open(missing); engine.KindOf(err) != engine.NotFound || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := format.Open(dir); engine.KindOf(err) != engine.BadFile {
		t.Errorf("folder: %v", err)
	}
}

func TestOpenFSOfTheDiskEqualsOpen(t *testing.T) {
	path := golden.Path(t, "files", "lora.safetensors")
	a, err := format.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	b, err := format.OpenFS(os.DirFS(filepath.Dir(path)), filepath.Base(path))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if a.ModelHash() != b.ModelHash() || a.Path() != b.Path() {
		t.Errorf("%s %s, %s %s", a.Path(), a.ModelHash(), b.Path(), b.ModelHash())
	}
}

// TestRealFilesOpen reads files that other programs wrote; two have headers of odd length.
func TestRealFilesOpen(t *testing.T) {
	paths, _ := filepath.Glob(filepath.Join(fixtures(t), "cloneofsimo-lora", "*.safetensors"))
	if len(paths) == 0 {
		t.Skip("no fixtures")
	}
	for _, path := range paths {
		f, err := format.Open(path)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, name := range f.Names() {
			if _, err := f.Tensor(name); err != nil {
				t.Error(err)
			}
		}
		f.Close()
	}
}

// fixtures is the folder of real files, beside the golden data or the module.
func fixtures(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{filepath.Join(golden.Dir(t), "..", "fixtures"), "../../../shared/fixtures"} {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
	}
	t.Skip("shared/fixtures is absent")
	return ""
}
