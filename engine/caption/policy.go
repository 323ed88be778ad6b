package caption

import (
	"strings"
	"unicode"

	"easel/engine"
	"easel/engine/dataset"
	"easel/engine/tokenizer"
)

// Mode says what happens to a caption that is there.
type Mode string

// The modes, by the names of the command line.
const (
	Fill    Mode = "fill"    // only pictures without a caption get one
	Append  Mode = "append"  // what was found is added behind the caption
	Replace Mode = "replace" // the caption is replaced
)

// Action is what was done with a picture's caption.
type Action string

// The actions.
const (
	Wrote    Action = "written"
	Appended Action = "appended"
	Replaced Action = "replaced"
	Kept     Action = "kept" // as it was
)

// Policy says what a sentence becomes as the caption of a picture to train on.
type Policy struct {
	Mode           Mode
	Word, Class    string // the new word that calls the subject and what it is: "zorbit", "monster toy"
	Prefix, Suffix string // around the sentence
	Tags           bool   // what is found are tags with commas between them, and no sentence
}

// Check refuses what no caption can follow. Error: BadInput.
func (p Policy) Check() error {
	switch {
	case p.Mode != Fill && p.Mode != Append && p.Mode != Replace:
		return engine.Errorf("caption", "", engine.BadInput, "the mode cannot be %q; choose fill, append or replace", p.Mode)
	case tokenizer.CLIP().Count(join(p.Prefix, p.bare(), p.Suffix)) > tokenizer.Room:
		return engine.Errorf("caption", "", engine.BadInput, "word, class, prefix and suffix fill more than the %d tokens of a caption", tokenizer.Room)
	}
	return nil
}

// Wants says whether a picture with that caption needs a sentence at all.
func (p Policy) Wants(caption string) bool { return p.Mode != Fill || !hasWords(caption) }

// Apply makes the caption of a picture that has caption ("" for none) of a sentence that was found, "" where the
// captioner has none to offer. What a person wrote is changed by Replace only.
func (p Policy) Apply(caption, sentence string) (string, Action) {
	if !p.Wants(caption) {
		return caption, Kept
	}
	if p.Mode == Append && hasWords(caption) {
		return p.add(caption, sentence)
	}
	made := p.Make(sentence)
	switch {
	case made == "" || made == caption:
		return caption, Kept
	case hasWords(caption):
		return made, Replaced
	}
	return made, Wrote
}

// add puts the sentence behind a caption, whose every letter stays. A sentence that is there already, or has no room, is
// left out.
func (p Policy) add(caption, sentence string) (string, Action) {
	if !hasWords(sentence) {
		return caption, Kept
	}
	if p.Tags {
		return p.addTags(caption, sentence)
	}
	room := func(text string) bool { return tokenizer.CLIP().Count(caption+", "+text) <= tokenizer.Room }
	plain := tidy(sentence)
	named := p.place(plain)
	more := named
	if hasWord(caption, p.Word) { // once is enough
		more = plain
	}
	more = shorten(more, room)
	if more == "" || says(caption, more) || says(caption, named) {
		return caption, Kept
	}
	return strings.TrimRight(caption, " ,;") + ", " + more, Appended
}

// says whether a caption has a text in it.
func says(caption, text string) bool {
	return strings.Contains(strings.ToLower(caption), strings.ToLower(text))
}

// Make turns a sentence into a whole caption: repetitions removed, the word and class put in, prefix and suffix around
// it, and no longer than CLIP reads. Without a sentence it is the template, "a photo of a WORD CLASS"; "" where there is
// neither. Of tags it makes a list of tags that begins with the word and class.
func (p Policy) Make(sentence string) string {
	if p.Tags {
		return p.makeTags(sentence)
	}
	body := tidy(sentence)
	if !hasWords(body) {
		if p.Word == "" && p.Class == "" {
			return ""
		}
		body = dataset.Template(p.Word, p.Class)
	} else {
		body = p.place(body)
	}
	short := shorten(body, func(text string) bool {
		return tokenizer.CLIP().Count(join(p.Prefix, text, p.Suffix)) <= tokenizer.Room
	})
	if p.Word != "" && !hasWord(short, p.Word) || short == "" {
		short = p.bare()
	}
	return join(p.Prefix, short, p.Suffix)
}

// bare is the shortest caption.
func (p Policy) bare() string { return dataset.Template(p.Word, p.Class) }

// join puts texts behind each other, with a space where the second does not begin with punctuation.
func join(texts ...string) string {
	all := ""
	for _, text := range texts {
		text = strings.TrimSpace(text)
		if all != "" && text != "" && !strings.ContainsRune(",.;:!?)", rune(text[0])) {
			all += " "
		}
		all += text
	}
	return all
}

// shorten cuts words off the end until the text fits and ends with no word that leads on; "" where not even one fits.
func shorten(text string, fits func(string) bool) string {
	for cut := false; text != "" && (!fits(text) || cut && leadsOn(text)); cut = true {
		at := strings.LastIndexFunc(text, unicode.IsSpace)
		text = strings.TrimRightFunc(text[:max(at, 0)], func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;:-", r) })
	}
	return text
}

// hasWords says whether a text says anything: a letter, a number or a symbol such as an emoji.
func hasWords(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.So) })
}
