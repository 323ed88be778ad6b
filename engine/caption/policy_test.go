package caption_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"easel/engine"
	"easel/engine/caption"
	"easel/engine/tokenizer"
)

func TestMake(t *testing.T) {
	sks := caption.Policy{Word: "sks", Class: "dog"}
	toy := caption.Policy{Word: "zorbit", Class: "monster toy"}
	for _, c := range []struct {
		p              caption.Policy
		sentence, want string
	}{
		{sks, "a dog", "a sks dog"},
		{sks, "a small brown dog sitting on a beach", "a small brown sks dog sitting on a beach"},
		{sks, "an old Dog and a cat", "an old sks dog and a cat"},
		{sks, "a sks dog on a sofa", "a sks dog on a sofa"},
		{sks, "he asks for a dog", "he asks for a sks dog"}, // the word inside another does not count
		{sks, "a dogs' home", "a sks dog"},                  // nor does the class
		{sks, "a hotdog with mustard", "a sks dog with mustard"},
		{caption.Policy{Word: "ohwx", Class: "dog"}, "a dog on a bed", "an ohwx dog on a bed"},
		{caption.Policy{Word: "sks", Class: "apple"}, "an apple on a table", "a sks apple on a table"},
		{toy, "a red toy on a table", "a red zorbit monster toy on a table"},
		{toy, "a monster toy", "a zorbit monster toy"},
		{toy, "a large cyan robot on a yellow background", "a zorbit monster toy on a yellow background"},
		{toy, "a close up of a stuffed animal on a table", "a close up of a zorbit monster toy on a table"},
		{toy, "there is a man holding a phone", "a zorbit monster toy, there is a man holding a phone"},
		{toy, "a robot, red eyes", "a zorbit monster toy, red eyes"},
		{toy, "a flaming heart in the snow", "a zorbit monster toy in the snow"},
		{caption.Policy{Word: "sks"}, "a cat on an apple", "a sks cat on an apple"},
		{caption.Policy{Word: "sks"}, "an orange cat", "an orange sks cat"},
		{caption.Policy{Class: "dog"}, "a wolf in the snow", "a dog in the snow"},
		{caption.Policy{Class: "dog"}, "a dog in the snow", "a dog in the snow"},
		{caption.Policy{}, "a dog in the snow", "a dog in the snow"},
		// what captioners stutter
		{caption.Policy{}, "a bald bald bald bald man", "a bald man"},
		{caption.Policy{}, "a man on a horse on a horse on a horse", "a man on a horse"},
		{caption.Policy{}, "red, Red, blue, red", "Red, blue"},
		{caption.Policy{}, "arafed dog on a\n beach .", "dog on a beach"},
		// awkward sentences
		{toy, "", "a photo of a zorbit monster toy"},
		{toy, "...!?", "a photo of a zorbit monster toy"},
		{caption.Policy{}, "?!", ""},
		{toy, "🙂🙂", "a zorbit monster toy, 🙂🙂"},
		{toy, "כלב על הספה", "a zorbit monster toy, כלב על הספה"},
		{caption.Policy{Word: "כלבי", Class: "כלב"}, "כלב על הספה", "כלבי כלב על הספה"},
		{sks, "İİİ a dog", "a sks dog, İİİ a dog"},
		{sks, "a", "a sks dog, a"},
		{sks, "the", "a sks dog, the"},
		{sks, "\xff\xfe", "a photo of a sks dog"},
		// around it
		{caption.Policy{Word: "sks", Class: "dog", Prefix: "a photo of", Suffix: ", outdoors"}, "a dog", "a photo of a sks dog, outdoors"},
		{caption.Policy{Prefix: " oil painting, ", Suffix: "at night"}, "a dog", "oil painting, a dog at night"},
	} {
		if got := c.p.Make(c.sentence); got != c.want {
			t.Errorf("%q with %q %q gives %q, want %q", c.sentence, c.p.Word, c.p.Class, got, c.want)
		}
	}
}

func TestApply(t *testing.T) {
	for _, c := range []struct {
		mode                    caption.Mode
		caption, sentence, want string
		did                     caption.Action
	}{
		{caption.Fill, "", "a dog", "a sks dog", caption.Wrote},
		{caption.Fill, "...", "a dog", "a sks dog", caption.Wrote}, // punctuation is nobody's words
		{caption.Fill, "🙂", "a dog", "🙂", caption.Kept},            // but this says something
		{caption.Fill, "my dog Rex", "a dog", "my dog Rex", caption.Kept},
		{caption.Replace, "my dog Rex", "a dog", "a sks dog", caption.Replaced},
		{caption.Replace, "a sks dog", "a dog", "a sks dog", caption.Kept},
		{caption.Replace, "", "", "a photo of a sks dog", caption.Wrote},
		{caption.Append, "", "a dog", "a sks dog", caption.Wrote},
		{caption.Append, "Rex, at home", "a dog on a sofa", "Rex, at home, a sks dog on a sofa", caption.Appended},
		{caption.Append, "SKS dog", "a dog on a sofa", "SKS dog, a dog on a sofa", caption.Appended},
		{caption.Append, "Rex, a sks dog on a sofa", "a dog on a sofa", "Rex, a sks dog on a sofa", caption.Kept},
		{caption.Append, "sks, a dog on a sofa", "a dog on a sofa", "sks, a dog on a sofa", caption.Kept}, // is there
		{caption.Append, "Rex", "", "Rex", caption.Kept},
		{caption.Append, "שלום,", "a dog", "שלום, a sks dog", caption.Appended},
		{caption.Append, strings.Repeat("word ", 300), "a dog", strings.Repeat("word ", 300), caption.Kept}, // no room
		{caption.Append, strings.TrimSpace(strings.Repeat("word ", 70)), "a dog on a red sofa", strings.Repeat("word ", 69) + "word, a sks dog", caption.Appended},
	} {
		p := caption.Policy{Mode: c.mode, Word: "sks", Class: "dog"}
		if got, did := p.Apply(c.caption, c.sentence); got != c.want || did != c.did {
			t.Errorf("%s %q with %q: %s %q, want %s %q", c.mode, c.caption, c.sentence, did, got, c.did, c.want)
		}
	}
}

func TestCheck(t *testing.T) {
	for name, p := range map[string]caption.Policy{
		"mode":        {Mode: "overwrite"},
		"long prefix": {Mode: caption.Fill, Prefix: strings.Repeat("very ", 80)},
	} {
		if err := p.Check(); engine.KindOf(err) != engine.BadInput {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (caption.Policy{Mode: caption.Append, Word: "sks", Class: "dog"}).Check(); err != nil {
		t.Error(err)
	}
}

// FuzzMake: whatever the sentence, the caption is text that CLIP reads to its end, on one line, and has the word.
func FuzzMake(f *testing.F) {
	for _, s := range []string{"a dog", strings.Repeat("a very long story about the dog, ", 60), strings.Repeat("犬", 300), "🙂 a sks", "a\x00b", "an , of of", "İ", "a a a a of a of"} {
		f.Add(s, "sks", "dog", "", "")
	}
	f.Add("a dog", "日本", "monster toy", "a photo of", ", 4k")
	clip := tokenizer.CLIP()
	f.Fuzz(func(t *testing.T, sentence, word, class, prefix, suffix string) {
		p := caption.Policy{Mode: caption.Fill, Word: word, Class: class, Prefix: prefix, Suffix: suffix}
		if p.Check() != nil || !utf8.ValidString(word+class+prefix+suffix) {
			return
		}
		made := p.Make(sentence)
		if n := clip.Count(made); n > tokenizer.Room {
			t.Errorf("%q has %d tokens", made, n)
		}
		if made != "" && !strings.Contains(strings.ToLower(made), strings.ToLower(strings.TrimSpace(word))) && len(strings.Fields(word)) == 1 {
			t.Errorf("%q lacks %q", made, word)
		}
		if again, did := p.Apply(made, sentence); made != "" && strings.ContainsAny(made, "abcdefghij") && (did != caption.Kept || again != made) {
			t.Errorf("a second run makes %q of %q", again, made)
		}
	})
}
