package tokenizer_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/engine/internal/golden"
	"easel/engine/tokenizer"
)

// TestGolden compares with transformers' CLIPTokenizer.
func TestGolden(t *testing.T) {
	var file struct {
		Cases []struct {
			Category, Text string
			IDs            []int32 `json:"ids"`
		} `json:"cases"`
	}
	golden.JSON(t, "tokenizer.json", &file)
	if len(file.Cases) == 0 {
		t.Fatal("the file holds no cases")
	}
	tok := tokenizer.CLIP()
	for _, c := range file.Cases {
		padded := tok.Padded(c.Text, -1)
		if len(padded) != tokenizer.Length {
			t.Fatalf("%q: %d ids", c.Text, len(padded))
		}
		got := padded
		for len(got) > 0 && got[len(got)-1] == -1 {
			got = got[:len(got)-1]
		}
		if diff := cmp.Diff(c.IDs, got); diff != "" {
			t.Errorf("%s, %q (-want +got):\n%s", c.Category, c.Text, diff)
		}
	}
}

// The ids are those of spec/formats.md §3.3.
func TestEncode(t *testing.T) {
	tok := tokenizer.CLIP()
	for _, c := range []struct {
		text string
		want []int32
	}{
		{"", []int32{}},
		{" \t\n", []int32{}},
		{"  A photo\u00a0of a\tCAT ", []int32{320, 1125, 539, 320, 2368}},
		{"it's 2023!!", []int32{585, 568, 273, 271, 273, 274, 748}},
		{"<|endoftext|>", []int32{tokenizer.End}},
		{"a\xffb", tok.Encode("a\ufffdb")},
	} {
		if diff := cmp.Diff(c.want, tok.Encode(c.text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, diff)
		}
		if got := tok.Count(c.text); got != len(c.want) {
			t.Errorf("Count(%q) = %d, want %d", c.text, got, len(c.want))
		}
	}
}

func TestPadded(t *testing.T) {
	tok := tokenizer.CLIP()
	for _, n := range []int{0, 1, 74, 75, 76, 300} {
		got := tok.Padded(strings.Repeat("cat ", n), 0)
		kept := min(n, 75)
		want := make([]int32, 77)
		want[0] = tokenizer.Start
		for i := range kept {
			want[1+i] = 2368
		}
		want[1+kept] = tokenizer.End
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d words (-want +got):\n%s", n, diff)
		}
	}
}

func TestAddWord(t *testing.T) {
	tok := tokenizer.CLIP()
	add := func(word string, n int, want ...int32) {
		t.Helper()
		ids, err := tok.AddWord(word, n)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, ids); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", word, diff)
		}
	}
	add("Easel-Pet", 2, 49408, 49409)
	add("easel-pet-red", 1, 49410)
	add("<my-cat>", 1, 49411)
	add("zwxé", 1, 49412)

	plain := tokenizer.CLIP()
	join := func(parts ...[]int32) []int32 {
		out := []int32{}
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	pet, red, cat, zwx := []int32{49408, 49409}, []int32{49410}, []int32{49411}, []int32{49412}
	for _, c := range []struct {
		text string
		want []int32
	}{
		{"a photo of EASEL-PET, 8k", join(plain.Encode("a photo of"), pet, plain.Encode(", 8k"))},
		{"easel-pet-red easel-pet", join(red, pet)},
		{"easel-pet-redder", join(pet, plain.Encode("-redder"))},
		{"(easel-pet)'s", join(plain.Encode("("), pet, plain.Encode(")'s"))},
		{"easel-pets weasel-pet easel-pet2", plain.Encode("easel-pets weasel-pet easel-pet2")},
		{"a<MY-cat>b<my-cat>", join(plain.Encode("a"), cat, plain.Encode("b"), cat)},
		{"zwxe\u0301 zwxe", join(zwx, plain.Encode("zwxe"))},
		{"zwx\u00e9\u0323", plain.Encode("zwx\u00e9\u0323")},
		{"easel-pet<|endoftext|>easel-pet", join(pet, []int32{tokenizer.End}, pet)},
	} {
		if diff := cmp.Diff(c.want, tok.Encode(c.text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.text, diff)
		}
	}
	if diff := cmp.Diff(plain.Encode("easel-pet"), tokenizer.CLIP().Encode("easel-pet")); diff != "" {
		t.Errorf("a word reached another tokenizer:\n%s", diff)
	}
}

func TestAddWordToAClone(t *testing.T) {
	first := tokenizer.CLIP()
	if _, err := first.AddWord("easel-one", 1); err != nil {
		t.Fatal(err)
	}
	second := first.Clone()
	ids, err := second.AddWord("easel-two", 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int32{49409}, ids); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int32{49408, 49409}, second.Encode("easel-one easel-two")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(tokenizer.CLIP().Encode("easel-two"), first.Encode("easel-two")); diff != "" {
		t.Errorf("the clone's word reached the original:\n%s", diff)
	}
}

func TestAddWordRefuses(t *testing.T) {
	for _, c := range []struct {
		name, word string
		n          int
	}{
		{"a word of the vocabulary", "sks", 1},
		{"the same in capitals", "Cat", 2},
		{"empty", " ", 1},
		{"two words", "my cat", 1},
		{"a special token", tokenizerEnd, 1},
		{"one that holds a special token", "x" + strings.ToUpper(tokenizerEnd), 1},
		{"added before", "EASEL-pet", 1},
		{"no vectors", "easel-other", 0},
		{"too many", "easel-other", 76},
	} {
		tok := tokenizer.CLIP()
		if _, err := tok.AddWord("easel-pet", 1); err != nil {
			t.Fatal(err)
		}
		before := tok.Encode(c.word)
		ids, err := tok.AddWord(c.word, c.n)
		if engine.KindOf(err) != engine.BadInput || ids != nil {
			t.Errorf("%s: got %v, %v", c.name, ids, err)
		}
		if diff := cmp.Diff(before, tok.Encode(c.word)); diff != "" {
			t.Errorf("%s: the refused word changed the encoding:\n%s", c.name, diff)
		}
	}
}

const tokenizerEnd = "<|endoftext|>"

func FuzzEncode(f *testing.F) {
	for _, s := range []string{"a photo of a cat", "it's <my-cat>", "\xff\xfe", "<|endoftext|><|start", "İ\u0301", "日本語 😀", "easel-pet 1e5"} {
		f.Add(s)
	}
	tok := tokenizer.CLIP()
	if _, err := tok.AddWord("easel-pet", 3); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ids := tok.Encode(s)
		for _, id := range ids {
			if id < 0 || id >= tokenizer.VocabLen+3 {
				t.Fatalf("id %d", id)
			}
		}
		if again := tok.Encode(strings.ToValidUTF8(s, string(utf8.RuneError))); !cmp.Equal(ids, again) {
			t.Fatalf("the same text with U+FFFD for bad bytes gives %v, not %v", again, ids)
		}
		if p := tok.Padded(s, 0); len(p) != tokenizer.Length || p[0] != tokenizer.Start {
			t.Fatalf("padded: %v", p)
		}
	})
}

// TestReservedIDs are left to a larger text encoder: added words follow them, and are found again in any case.
func TestReservedIDs(t *testing.T) {
	tok := tokenizer.CLIP()
	tok.Reserve(49500)
	tok.Reserve(10) // which takes nothing back
	ids, err := tok.AddWord("Blorp-9", 2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int32{49500, 49501}, ids); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(ids, tok.Added(" blorp-9")); diff != "" {
		t.Error(diff)
	}
	if other := tok.Added("blorp"); other != nil {
		t.Errorf("a word that was not added has ids %v", other)
	}
}
