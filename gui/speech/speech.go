// Package speech says in the window's language what the engine says in English. The engine knows nothing of that: its
// sentences are the keys of translations, whole or with places for what it fills in. What has no translation stays English.
package speech

import (
	"errors"
	"slices"
	"strings"

	"fyne.io/fyne/v2/lang"

	"easel/engine"
)

// known are the texts that have translations: lang.L complains of others.
var known = map[string]bool{}

// Know says which texts have translations. It is called before anything else.
func Know(texts []string) {
	for _, text := range texts {
		known[text] = true
	}
}

// translated is a text in the window's language, or itself.
func translated(text string) string {
	if !known[text] {
		return text
	}
	return lang.L(text)
}

// Of is a sentence of the engine's in the window's language.
func Of(text string) string {
	said, _ := say(text, translated)
	return said
}

// Methods are methods whose texts are in the window's language.
func Methods(all []engine.MethodInfo) []engine.MethodInfo {
	all = slices.Clone(all)
	for i := range all {
		m := &all[i]
		m.Title, m.Updates, m.Good, m.Harm = Of(m.Title), Of(m.Updates), Of(m.Good), Of(m.Harm)
		m.Files = slices.Clone(m.Files)
		for k := range m.Files {
			m.Files[k].Title = Of(m.Files[k].Title)
		}
	}
	return all
}

// Error is an error in words. Where its own are not known in the window's language, what kind it is is said before them.
func Error(err error) string { return inWords(err, translated) }

func inWords(err error, translate translation) string {
	text := err.Error()
	var e *engine.Error
	if !errors.As(err, &e) {
		said, _ := say(text, translate)
		return said
	}
	if e.Err != nil {
		if reason, ok := say(e.Err.Error(), translate); ok {
			return strings.TrimPrefix(e.Path+": ", ": ") + reason
		}
	}
	if said := translate(kinds[e.Kind]); said != kinds[e.Kind] {
		return said + "\n" + text
	}
	return text
}

// translation is translated, or that of a language for tests.
type translation func(string) string

// say finds a text in a translation: a sentence, or a list of them. It tells whether it has found it.
func say(text string, translate translation) (string, bool) {
	if said, ok := sentence(text, translate); ok {
		return said, true
	}
	return list(strings.Split(text, separator), translate)
}

// sentence finds a text whole, or by what it fills in.
func sentence(text string, translate translation) (string, bool) {
	if said := translate(text); said != text {
		return said, true
	}
	for _, f := range formats {
		filled := f.match(text)
		if filled == nil {
			continue
		}
		if said := translate(f.text); said != f.text {
			for i := range filled {
				filled[i], _ = say(filled[i], translate)
			}
			return fill(said, filled), true
		}
	}
	return text, false
}

const separator = ", "

// list finds sentences one after the other, the shortest first, for they may hold separators themselves. Where one is not
// found it ends, since names of files hold many separators too.
func list(parts []string, translate translation) (string, bool) {
	var all []string
	for from, to := 0, 1; from < len(parts); to++ {
		if to > len(parts) {
			return strings.Join(parts, separator), false
		}
		if said, ok := sentence(strings.Join(parts[from:to], separator), translate); ok {
			all = append(all, said)
			from = to
		}
	}
	return strings.Join(all, separator), true
}
