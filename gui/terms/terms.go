// Package terms explains the words of art that the window shows.
package terms

import (
	"strings"
	"sync"

	"fyne.io/fyne/v2"

	"easel/gui/widgets"
)

// Term is a word of art with what it means.
type Term struct {
	Names []string // the first is its own; others are what the window calls the same, or a kind of it
	Text  string
}

// named finds a term by any of its names, in lower case. It is made when translations are there.
var named = sync.OnceValue(func() map[string]Term {
	terms := map[string]Term{}
	for _, t := range All() {
		for _, name := range t.Names {
			terms[strings.ToLower(name)] = t
		}
	}
	return terms
})

// Of is the term that goes by a name, as the window's language has it.
func Of(name string) (Term, bool) {
	t, ok := named()[strings.ToLower(name)]
	return t, ok
}

// Explain has an object explain the term of a name when the pointer rests on it. Where there is no such term it is the
// object itself.
func Explain(o fyne.CanvasObject, name string) fyne.CanvasObject {
	t, ok := Of(name)
	if !ok {
		return o
	}
	return widgets.NewExplained(o, t.Text)
}
