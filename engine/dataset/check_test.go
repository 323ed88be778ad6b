package dataset_test

import (
	"slices"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/dataset"
)

func TestCheckCaption(t *testing.T) {
	words := func(text string) int { return len(strings.Fields(text)) }
	long := strings.TrimSpace(strings.Repeat("zorbit toy ", 1))
	for i := range 80 {
		long += " w" + strings.Repeat("x", i)
	}
	for _, c := range []struct {
		name, caption, word, class string
		want                       []engine.IssueKind
	}{
		{"good", "a photo of a zorbit monster toy on grass", "zorbit", "monster toy", nil},
		{"other case and marks", "Zorbit, the Monster Toy!", "zorbit", "monster toy", nil},
		{"empty", "  ", "zorbit", "toy", nil},
		{"no word", "a photo of a monster toy", "zorbit", "monster toy", []engine.IssueKind{engine.IssueNoWord}},
		{"part of a word", "a photo of zorbits, a toy", "zorbit", "toy", []engine.IssueKind{engine.IssueNoWord}},
		{"no class", "a photo of zorbit", "zorbit", "monster toy", []engine.IssueKind{engine.IssueNoClass}},
		{"nothing asked for", "a photo", "", "", nil},
		{"repeated", "zorbit toy on green grass, blue sky, on green grass", "zorbit", "toy", []engine.IssueKind{engine.IssueRepeated}},
		{"two words twice are no phrase", "a zorbit toy and a zorbit cup", "zorbit", "toy", nil},
		{"long", long, "zorbit", "toy", []engine.IssueKind{engine.IssueTooLong}},
	} {
		check := dataset.CheckCaption(c.caption, c.word, c.class, words)
		var got []engine.IssueKind
		for _, i := range check.Issues {
			got = append(got, i.Kind)
		}
		if !slices.Equal(got, c.want) || check.Tokens != words(c.caption)+2 || check.Limit != 77 {
			t.Errorf("%s: %+v, want %v", c.name, check, c.want)
		}
	}
}
