package pickle_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"easel/engine/format/pickle"
)

// id returns a persistent id as the value that it stands for.
func id(v any) (any, error) { return v, nil }

// TestRead uses what Python 3's pickle.dumps and torch.save write.
func TestRead(t *testing.T) {
	list := func(v ...any) *pickle.List { return &pickle.List{Items: v} }
	for _, test := range []struct {
		data string
		want any
	}{
		{"\x80\x02N.", nil},
		{"\x80\x02\x88.", true},
		{"\x80\x02\x89.", false},
		{"\x80\x02K\xff.", int64(255)},
		{"\x80\x02M\xff\xff.", int64(65535)},
		{"\x80\x02J\xff\xff\xff\xff.", int64(-1)},
		{"\x80\x02\x8a\x05\x00\x00\x00\x00\x01.", int64(1 << 32)},
		{"\x80\x02\x8a\x01\xfe.", int64(-2)},
		{"\x80\x02\x8a\x00.", int64(0)},
		{"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", pickle.Long("l\xfc\x9cF\xf9 j\xa8P\x19")},
		{"\x80\x02G?\xf8\x00\x00\x00\x00\x00\x00.", 1.5},
		{"\x80\x02X\x02\x00\x00\x00\xc3\xa9q\x00.", "é"},
		{"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00\x8c\x01a\x94.", "a"},
		{"\x80\x02U\x01a.", "a"}, {"\x80\x02T\x01\x00\x00\x00a.", "a"},
		{"\x80\x03C\x01a.", []byte("a")}, {"\x80\x03B\x01\x00\x00\x00a.", []byte("a")},
		{"\x80\x02).", pickle.Tuple(nil)},
		{"\x80\x02K\x01\x85.", pickle.Tuple{int64(1)}},
		{"\x80\x02K\x01K\x02\x86.", pickle.Tuple{int64(1), int64(2)}},
		{"\x80\x02K\x01K\x02K\x03\x87.", pickle.Tuple{int64(1), int64(2), int64(3)}},
		{"\x80\x02(K\x01K\x02K\x03K\x04tq\x00.", pickle.Tuple{int64(1), int64(2), int64(3), int64(4)}},
		{"\x80\x02]q\x00(K\x01K\x02e.", list(int64(1), int64(2))},
		{"\x80\x02]q\x00K\x01a.", list(int64(1))},
		{"\x80\x04\x8f\x94(K\x01\x90.", list(int64(1))},
		{"\x80\x02]q\x00(K\x01h\x00h\x00e.", "a list that holds itself"}, // compared by not hanging
		{"\x80\x02c__builtin__\nset\n]K\x01a\x85R.", list(int64(1))},
		{"\x80\x02ctorch\nFloatStorage\n.", pickle.Global{Module: "torch", Name: "FloatStorage"}},
		{"\x80\x04\x8c\x05torch\x8c\x04Size\x93.", pickle.Global{Module: "torch", Name: "Size"}},
		{"\x80\x02ctorch\nSize\nK\x02\x85\x85R.", &pickle.Object{Class: pickle.Global{Module: "torch", Name: "Size"}, Args: pickle.Tuple{pickle.Tuple{int64(2)}}}},
		{"\x80\x02comegaconf.x\nY\n)\x81K\x01b.", &pickle.Object{Class: pickle.Global{Module: "omegaconf.x", Name: "Y"}, State: int64(1)}},
		{"\x80\x02X\x01\x00\x00\x000Q.", "0"},
		{"\x80\x02K\x01r\x00\x01\x00\x00j\x00\x01\x00\x00\x86.", pickle.Tuple{int64(1), int64(1)}},
	} {
		got, n, err := pickle.Read([]byte(test.data+"rest"), id)
		if err != nil || n != len(test.data) {
			t.Errorf("%q: %d bytes, %v", test.data, n, err)
			continue
		}
		if test.want == "a list that holds itself" {
			continue
		}
		if d := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%q: %s", test.data, d)
		}
	}
}

func TestReadDictionaries(t *testing.T) {
	for _, data := range []string{
		"\x80\x02}q\x00(X\x01\x00\x00\x00aK\x01X\x01\x00\x00\x00bK\x02X\x01\x00\x00\x00aK\x03u.",
		"\x80\x02ccollections\nOrderedDict\n)R(X\x01\x00\x00\x00aK\x03X\x01\x00\x00\x00bK\x02u}b.", // with attributes
		"\x80\x02ccollections\nOrderedDict\n](](U\x01aK\x03e(U\x01bK\x02tK\x07e\x85R.",             // of Python 2: pairs, and something that is none
		"\x80\x02}X\x01\x00\x00\x00aK\x03sX\x01\x00\x00\x00bK\x02s.",
	} {
		v, _, err := pickle.Read([]byte(data), id)
		d, ok := v.(*pickle.Dict)
		if err != nil || !ok {
			t.Errorf("%q: %T, %v", data, v, err)
			continue
		}
		a, okA := d.Get("a")
		b, okB := d.Get("b")
		if _, ok := d.Get("c"); ok || !okA || a != int64(3) || !okB || b != int64(2) || len(d.Keys) != 2 {
			t.Errorf("%q: %v", data, d)
		}
	}
}

// TestReadRefusesWhatCalls has what makes pickles dangerous, and instructions that would.
func TestReadRefusesWhatCalls(t *testing.T) {
	for _, global := range []string{"posix system", "nt system", "os system", "builtins eval", "builtins exec", "builtins getattr", "__builtin__ eval",
		"subprocess Popen", "runpy _run_code", "torch load", "torch.storage _load_from_bytes", "webbrowser open", "omegaconfx y", "torch system", "collections Counter"} {
		module, name, _ := strings.Cut(global, " ")
		_, _, err := pickle.Read([]byte("\x80\x02c"+module+"\n"+name+"\nX\x02\x00\x00\x00ls\x85R."), id)
		if !errors.Is(err, pickle.ErrRefused) || !strings.Contains(err.Error(), module+"."+name) {
			t.Errorf("%s: %v", global, err)
		}
	}
	for _, op := range []byte("i\x82\x83\x84oPS\x92") {
		if _, _, err := pickle.Read([]byte{0x80, 2, op, '.'}, id); !errors.Is(err, pickle.ErrRefused) {
			t.Errorf("instruction %q: %v", op, err)
		}
	}
}

func TestReadDamaged(t *testing.T) {
	for _, data := range []string{"", "\x80", "\x80\x02", ".", "(.", "t.", "\x85.", "(\x85.", "(a.", "K\x01K\x01a.", "K\x01K\x01K\x01s.", "}(K\x01u.", "h\x00.", "q\x00.",
		"X\xff\xff\xff\xffa.", "G\x00.", "cabc", "ca\nb", "K\x01K\x02\x93.", "K\x01K\x02R.", "ctorch\nSize\nK\x01b.", "Q.", "M\x01", "N(b.", "Na."} {
		if v, _, err := pickle.Read([]byte(data), id); err == nil {
			t.Errorf("%q gave %v", data, v)
		}
	}
	if _, _, err := pickle.Read([]byte("NQ."), nil); err == nil {
		t.Error("data outside was found where there is none")
	}
}

// TestReadIsBounded reads pickles that make as much as they can of few bytes.
func TestReadIsBounded(t *testing.T) {
	long := "X\x00\x00\x10\x00" + strings.Repeat("a", 1<<20) + "q\x00"
	list := "](" + strings.Repeat("K\x01", 1<<16) + "eq\x00"
	for name, data := range map[string]string{
		"lists":        strings.Repeat("]", 1<<20),
		"dictionaries": strings.Repeat("}", 1<<20),
		"items":        "}q\x00" + strings.Repeat("K\x01K\x02s", 1<<18),
		"kept":         "N" + strings.Repeat("\x94", 1<<20),
		"one string":   long + strings.Repeat("c_codecs\nencode\nh\x00\x85R", 1<<16),
		"one list":     list + strings.Repeat("ccollections\nOrderedDict\nh\x00\x85R", 1<<12),
		"nested":       strings.Repeat("]", 2) + "q\x00" + strings.Repeat("h\x00a", 1<<18),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, _ = pickle.Read([]byte("\x80\x02"+data+"."), id)
		runtime.ReadMemStats(&after)
		if took, most := after.TotalAlloc-before.TotalAlloc, uint64(300*len(data)); took > most {
			t.Errorf("%s: %d bytes of memory for a pickle of %d", name, took, len(data))
		}
	}
	if _, _, err := pickle.Read([]byte(strings.Repeat("N", 3_000_000)), id); !errors.Is(err, pickle.ErrRefused) {
		t.Errorf("endless: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("\x80\x02}q\x00(X\x01\x00\x00\x00aK\x01X\x01\x00\x00\x00bG?\xf8\x00\x00\x00\x00\x00\x00u."))
	f.Add([]byte("\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQK\x00K\x04\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR."))
	f.Add([]byte("\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01\x8c\x01a\x94C\x01b\x94e."))
	f.Add([]byte("\x80\x02ccollections\nOrderedDict\n]]U\x01aaK\x03aa\x85R}b."))
	f.Add([]byte("\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."))
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, n, err := pickle.Read(data, id)
		runtime.ReadMemStats(&after)
		if took, most := after.TotalAlloc-before.TotalAlloc, uint64(1<<20+300*len(data)); took > most {
			t.Errorf("%d bytes of memory for %d", took, len(data))
		}
		if err == nil && (n < 1 || n > len(data)) {
			t.Errorf("%d bytes of %d were read", n, len(data))
		}
	})
}
