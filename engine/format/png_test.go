package format_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/format"
)

func picture() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 3, 2))
	img.Set(1, 1, color.RGBA{10, 20, 30, 255})
	return img
}

func TestWritePNGThenRead(t *testing.T) {
	tests := []struct{ name, text, chunk string }{
		{"ASCII", "a cat\nNegative prompt: x\nSteps: 20, Seed: 1", "tEXt"},
		{"Latin-1", "café ÿ", "tEXt"},
		{"beyond Latin-1", "猫, 😀 café", "iTXt"},
	}
	for _, test := range tests {
		path := filepath.Join(t.TempDir(), "x.png")
		if err := format.WritePNG(path, picture(), test.text); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := format.PNGParameters(bytes.NewReader(b))
		if err != nil || got != test.text {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
		if at, pixels := bytes.Index(b, []byte(test.chunk+"parameters\x00")), bytes.Index(b, []byte("IDAT")); at < 0 || at > pixels {
			t.Errorf("%s: %s at %d, IDAT at %d", test.name, test.chunk, at, pixels)
		}
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil || color.RGBAModel.Convert(img.At(1, 1)) != (color.RGBA{10, 20, 30, 255}) {
			t.Errorf("%s: the picture does not decode: %v", test.name, err)
		}
	}
	if err := format.WritePNG(filepath.Join(t.TempDir(), "x.png"), picture(), "a\x00b"); engine.KindOf(err) != engine.BadInput {
		t.Errorf("a zero byte: %v", err)
	}
}

// chunk is a PNG chunk with the right checksum.
func chunk(kind, data string) []byte {
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), kind+data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func packed(text string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

func TestPNGParameters(t *testing.T) {
	const signature = "\x89PNG\r\n\x1a\n"
	end := string(chunk("IEND", ""))
	bad := chunk("tEXt", "parameters\x00x")
	bad[len(bad)-1] ^= 1
	tests := []struct {
		name, file, want string
		kind             engine.Kind
	}{
		{"after the pixels", signature + string(chunk("IDAT", "xx")) + string(chunk("tEXt", "parameters\x00late")) + end, "late", 0},
		{"other keyword", signature + string(chunk("tEXt", "workflow\x00x")) + end, "", engine.NotFound},
		{"iTXt with language", signature + string(chunk("iTXt", "parameters\x00\x00\x00de\x00Werte\x00猫")) + end, "猫", 0},
		{"iTXt cut", signature + string(chunk("iTXt", "parameters\x00\x00\x00de")) + end, "", engine.BadFile},
		{"iTXt not UTF-8", signature + string(chunk("iTXt", "parameters\x00\x00\x00\x00\x00\xff")) + end, "", engine.BadFile},
		{"zTXt", signature + string(chunk("zTXt", "parameters\x00\x00"+packed("caf\xe9"))) + end, "café", 0},
		{"packed iTXt", signature + string(chunk("iTXt", "parameters\x00\x01\x00\x00\x00"+packed("猫"))) + end, "猫", 0},
		{"zTXt damaged", signature + string(chunk("zTXt", "parameters\x00\x00x\x9cxx")) + end, "", engine.BadFile},
		{"zTXt that unpacks to 64 MB", signature + string(chunk("zTXt", "parameters\x00\x00"+packed(strings.Repeat("x", 64<<20)))) + end, "", engine.BadFile},
		{"wrong checksum", signature + string(bad) + end, "", engine.BadFile},
		{"no PNG", "GIF89a..", "", engine.BadFile},
		{"cut off", signature + "\x00\x00", "", engine.BadFile},
		{"claims 4 GB", signature + "\xff\xff\xff\xfftEXtparameters\x00x", "", engine.BadFile},
		{"claims 3 MB", signature + "\x00\x30\x00\x00tEXtparameters\x00x", "", engine.BadFile},
	}
	for _, test := range tests {
		got, err := format.PNGParameters(strings.NewReader(test.file))
		if got != test.want || test.want != "" && err != nil || test.want == "" && engine.KindOf(err) != test.kind {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
	}
}

func FuzzPNGParameters(f *testing.F) {
	const signature = "\x89PNG\r\n\x1a\n"
	for _, c := range [][]byte{chunk("tEXt", "parameters\x00x"), chunk("iTXt", "parameters\x00\x00\x00\x00\x00x"), chunk("zTXt", "parameters\x00\x00x\x9c"), chunk("IEND", "")} {
		f.Add(append([]byte(signature), c...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := format.PNGParameters(bytes.NewReader(data))
		if kind := engine.KindOf(err); err != nil && kind != engine.BadFile && kind != engine.NotFound {
			t.Fatal(err)
		}
		if len(text) > 8<<20 {
			t.Fatalf("%d bytes of text from %d", len(text), len(data))
		}
	})
}

func TestParametersText(t *testing.T) {
	p := format.Parameters{
		Prompt: "a cat,\n(smiling:1.2)", Negative: "blurry", Steps: 20, Sampler: "DPM++ 2M", Schedule: "Karras", CFGScale: 7, Seed: 123,
		Width: 512, Height: 768, ModelHash: "6ce0161689", Model: "v1-5", ClipSkip: 2, Version: "Easel 1",
		Extra: []format.Setting{{Key: "Lora hashes", Value: "mycat: 0123456789ab"}, {Key: "Note here", Value: "quote \" and \n line"}},
	}
	want := "a cat,\n(smiling:1.2)\nNegative prompt: blurry\n" +
		`Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 123, Size: 512x768, Model hash: 6ce0161689, Model: v1-5, Clip skip: 2, ` +
		`Lora hashes: "mycat: 0123456789ab", Note here: "quote \" and \n line", Version: Easel 1`
	if d := cmp.Diff(want, p.String()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(p, format.ParseParameters(p.String())); d != "" {
		t.Error(d)
	}
}

func TestParseParameters(t *testing.T) {
	tests := []struct {
		name, text string
		want       format.Parameters
	}{
		{"nothing", "", format.Parameters{}},
		{"only a prompt", "a cat", format.Parameters{Prompt: "a cat"}},
		{"too few settings are prompt", "a cat\nSteps: 20, Seed: 1", format.Parameters{Prompt: "a cat\nSteps: 20, Seed: 1"}},
		{"A1111 1.8", "a\nSteps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 3, Size: 64x32, ENSD: 31337",
			format.Parameters{Prompt: "a", Steps: 20, Sampler: "Euler a", CFGScale: 7.5, Seed: 3, Width: 64, Height: 32,
				Extra: []format.Setting{{Key: "ENSD", Value: "31337"}}}},
		{"values that do not parse", "a\nSteps: many, Seed: 99999999999999999999, Size: big",
			format.Parameters{Prompt: "a", Extra: []format.Setting{{Key: "Steps", Value: "many"}, {Key: "Seed", Value: "99999999999999999999"}, {Key: "Size", Value: "big"}}}},
	}
	for _, test := range tests {
		if d := cmp.Diff(test.want, format.ParseParameters(test.text)); d != "" {
			t.Errorf("%s: %s", test.name, d)
		}
	}
}

func FuzzParseParameters(f *testing.F) {
	f.Add("a\nNegative prompt: b\nSteps: 20, Sampler: \"x, y\", Seed: 1")
	f.Fuzz(func(t *testing.T, text string) {
		p := format.ParseParameters(text)
		again := format.ParseParameters(p.String())
		if again.Prompt != p.Prompt || again.Steps != p.Steps || again.Seed != p.Seed {
			t.Fatalf("%+v became %+v through %q", p, again, p.String())
		}
	})
}
