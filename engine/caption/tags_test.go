package caption_test

import (
	"strings"
	"testing"

	"easel/engine/caption"
	"easel/engine/tokenizer"
)

func TestMakeOfTags(t *testing.T) {
	for _, c := range []struct {
		p           caption.Policy
		found, want string
	}{
		{caption.Policy{}, "1girl, solo, long hair, hair ribbon", "1girl, solo, long hair, hair ribbon"}, // "hair, hair" is no stutter
		{caption.Policy{Word: "sks"}, "1girl, solo", "sks, 1girl, solo"},
		{caption.Policy{Word: "sks", Class: "dog"}, "no humans, dog, animal focus", "sks dog, no humans, animal focus"},
		{caption.Policy{Class: "dog"}, "no humans, dog", "dog, no humans"},
		{caption.Policy{Word: "sks"}, "a , A,, b\n c", "sks, a, b c"},
		{caption.Policy{Word: "sks"}, ":d, ^_^, ., rem (re:zero)", "sks, :d, ^_^, ., rem (re:zero)"},
		{caption.Policy{Word: "sks", Class: "toy"}, "", "sks toy"},
		{caption.Policy{}, "", ""},
		{caption.Policy{Word: "sks", Prefix: "masterpiece,", Suffix: ", hat"}, "solo, hat, Masterpiece", "masterpiece, sks, solo, hat"},
		{caption.Policy{Prefix: "anime style"}, "solo", "anime style, solo"},
		{caption.Policy{Word: "חתול"}, "solo, 🙂", "חתול, solo, 🙂"},
		{caption.Policy{Word: "sks"}, "arafed, a photo of", "sks, arafed, a photo of"},
	} {
		c.p.Tags = true
		if got := c.p.Make(c.found); got != c.want {
			t.Errorf("%q with %q %q gives %q, want %q", c.found, c.p.Word, c.p.Class, got, c.want)
		}
	}
}

// TestTagsAreCutWhole: no more tags than CLIP reads, and the last one whole.
func TestTagsAreCutWhole(t *testing.T) {
	p := caption.Policy{Mode: caption.Append, Word: "sks", Suffix: "best quality", Tags: true}
	many := strings.TrimSuffix(strings.Repeat("looking at viewer, ", 1), ", ")
	for i := range 60 {
		many += ", long hair " + strings.Repeat("x", i+1)
	}
	made := p.Make(many)
	count := tokenizer.CLIP().Count(made)
	if count > tokenizer.Room || count < tokenizer.Room-20 || !strings.HasPrefix(made, "sks, looking at viewer, long hair x, ") || !strings.HasSuffix(made, "x, best quality") {
		t.Errorf("%d tokens: %s", count, made)
	}
}

func TestAddTags(t *testing.T) {
	for _, c := range []struct {
		caption, found, want string
		did                  caption.Action
	}{
		{"my dog Rex", "no humans, dog, hat", "my dog Rex, sks dog, no humans, hat", caption.Appended},
		{"sks, hat,", "Hat, outdoors", "sks, hat, outdoors", caption.Appended},
		{"sks, hat", "hat", "sks, hat", caption.Kept},
		{"my dog", "", "my dog", caption.Kept},
		{"", "hat", "sks dog, hat", caption.Wrote},
		{strings.Repeat("word ", 300), "hat", strings.Repeat("word ", 300), caption.Kept},
		{strings.Repeat("word ", 69) + "word", "hat, looking at viewer", strings.Repeat("word ", 69) + "word, sks dog, hat", caption.Appended},
	} {
		p := caption.Policy{Mode: caption.Append, Word: "sks", Class: "dog", Tags: true}
		if got, did := p.Apply(c.caption, c.found); got != c.want || did != c.did {
			t.Errorf("%q with %q: %s %q, want %s %q", c.caption, c.found, did, got, c.did, c.want)
		}
		if again, did := p.Apply(c.want, c.found); again != c.want || did != caption.Kept {
			t.Errorf("a second run makes %q of %q", again, c.want)
		}
	}
}

// FuzzMakeOfTags: whatever the tags, the caption is text that CLIP reads to its end, on one line, and has the word.
func FuzzMakeOfTags(f *testing.F) {
	f.Add("1girl, solo, long hair", "sks", "dog", "", "")
	f.Add(strings.Repeat("犬, ", 300)+"\xff, a\x00b", "日本", "", "masterpiece,", ", 4k")
	f.Fuzz(func(t *testing.T, found, word, class, prefix, suffix string) {
		p := caption.Policy{Mode: caption.Fill, Word: word, Class: class, Prefix: prefix, Suffix: suffix, Tags: true}
		if p.Check() != nil || strings.ToValidUTF8(word+class+prefix+suffix, "") != word+class+prefix+suffix {
			return
		}
		made := p.Make(found)
		if n := tokenizer.CLIP().Count(made); n > tokenizer.Room {
			t.Errorf("%q has %d tokens", made, n)
		}
		if made != "" && !strings.Contains(strings.ToLower(made), strings.ToLower(strings.TrimSpace(word))) && len(strings.Fields(word)) == 1 {
			t.Errorf("%q lacks %q", made, word)
		}
	})
}
