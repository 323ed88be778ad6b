package speech

import (
	"regexp"

	"easel/engine"
)

// kinds are what an error is about, for errors that are not known word by word.
var kinds = map[engine.Kind]string{
	engine.Internal:    "This is a mistake of Easel's own.",
	engine.BadInput:    "A setting cannot be used as it is.",
	engine.BadFile:     "A file is damaged, or not what it should be.",
	engine.NotFound:    "Something was not found.",
	engine.Unsupported: "Easel cannot do this.",
	engine.OutOfMemory: "There is not enough memory.",
	engine.NaN:         "The numbers ran away.",
	engine.Cancelled:   "It was stopped.",
}

// formats are sentences of the engine's that its types do not list, many with places for what is filled in. Of two that fit,
// the first is meant.
var formats = compile(
	// why a setting has its value
	"as you set it",
	// of pictures
	"Blurred: no part of it is sharp. The model would learn the blur.",
	"Lies sideways or mirrored in its file. It is shown and trained upright.",
	// why a file cannot be used
	"the file is empty",
	"this is not a picture; use JPEG, PNG, WebP, GIF, TIFF or BMP",
	"this kind of picture cannot be read",
	"the picture is too large",
	"the file ends in the middle of the picture; copy it again from where it came",
	"the file is damaged; copy it again or save it anew in a picture editor",
	"the file cannot be read",
	"folders inside the folder are not searched; move the pictures up",
	"this is not the text of a caption",
	"this caption file belongs to no picture of the same name, or the picture has another",
	"it cannot be found; save a picture from a web page first, then add the file",
	"it is not a plain file",
	// how a run uses memory
	"keeps everything in memory",
	"changes each weight as soon as its gradient is there",
	"reads frozen weights from their file at each use",
	"norms and activations",
	"norms, activations and narrow products",
	"norms, activations and products",
	"nearly everything",
	// what went on beside a run
	"this picture has no mask: all of it is trained",
	"some pictures are not square (%s is one), and steps with those do not protect what other prompts paint",
	"the pictures or their captions have changed since the run began, so it cannot go on as if nothing had happened: make them what they were, or start anew",
	// of captions
	"%q is missing: this picture would not teach it.",
	"%q is missing: say what kind of thing it is.",
	"%q occurs twice.",
	"%d tokens: the model reads only the first %d.",
	// of pictures
	"Too small: %d x %d pixels are enlarged %.1f times. Use a larger copy if there is one.",
	"Nearly the same as %s. Keep one, or the model learns that view by heart.",
	"Cannot be used: %s.",
	"Its caption: %s.",
	"it is here already, as %s",
	// how a run uses memory
	"%s; takes about %s of at most %s",
	"%s; takes about %s",
	"computes %s again in the backward pass",
	"renders %d at a time",
	"stores frozen weights as %s",
	"trains weights as %s",
	"trains at %d px",
	"this run needs at least %s of memory, and %s is what it may take: choose a smaller batch or rank, close other programs, or allow more with --memory",
	// what went on beside a run
	"left out: %s",
	"the likeness could not be measured and is given as 0: %s",
)

// format is a sentence with places for what is filled in.
type format struct {
	text string
	form *regexp.Regexp
}

// place is where something is filled in, as fmt writes it.
var place = regexp.MustCompile(`%[0-9.]*[a-z]`)

// what are the forms of what fills a place: a number is not mistaken for words.
func what(verb string) string {
	switch verb[len(verb)-1] {
	case 'd':
		return `([0-9]+)`
	case 'f':
		return `([0-9.]+)`
	case 'q':
		return `(".*")`
	}
	return `(.+)`
}

func compile(texts ...string) (all []format) {
	for _, text := range texts {
		pattern, from := "", 0
		for _, at := range place.FindAllStringIndex(text, -1) {
			pattern += regexp.QuoteMeta(text[from:at[0]]) + what(text[at[0]:at[1]])
			from = at[1]
		}
		all = append(all, format{text, regexp.MustCompile(`(?s)^` + pattern + regexp.QuoteMeta(text[from:]) + `$`)})
	}
	return all
}

// match is what fills the places of a text, nil where it is another sentence.
func (f format) match(text string) []string {
	if found := f.form.FindStringSubmatch(text); found != nil {
		return found[1:]
	}
	return nil
}

// fill puts texts into the places of a sentence, in their order.
func fill(sentence string, texts []string) string {
	return place.ReplaceAllStringFunc(sentence, func(verb string) string {
		if len(texts) == 0 {
			return verb
		}
		text := texts[0]
		texts = texts[1:]
		return text
	})
}
