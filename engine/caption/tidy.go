package caption

import (
	"slices"
	"strings"
)

// longestRepeat is the most words of a phrase whose immediate repetition is removed.
const longestRepeat = 8

// nonsense are words that captioners are known for and that mean nothing.
var nonsense = []string{"arafed", "araffe", "araffes", "arafes"}

// tidy removes what captioners stutter: white space, words and phrases that follow themselves, parts between commas that
// were there before, and a full stop at the end.
func tidy(text string) string {
	words := slices.DeleteFunc(strings.Fields(strings.ToValidUTF8(text, "")), func(word string) bool { return slices.Contains(nonsense, bareWord(word)) })
	for n := min(longestRepeat, len(words)/2); n >= 1; n-- {
		words = dropRepeats(words, n)
	}
	var parts []string
	seen := map[string]bool{}
	for part := range strings.SplitSeq(strings.Join(words, " "), ",") {
		part = strings.TrimSpace(part)
		if key := strings.ToLower(part); part != "" && !seen[key] {
			seen[key] = true
			parts = append(parts, part)
		}
	}
	return strings.TrimSpace(strings.TrimRight(strings.Join(parts, ", "), ". "))
}

// dropRepeats removes n words that say the same as the n before them.
func dropRepeats(words []string, n int) []string {
	for i := n; i+n <= len(words); {
		if same(words[i-n:i], words[i:i+n]) {
			words = slices.Delete(slices.Clone(words), i-n, i) // the second stays, with its comma
			continue
		}
		i++
	}
	return words
}

func same(a, b []string) bool {
	return slices.EqualFunc(a, b, func(x, y string) bool { return bareWord(x) == bareWord(y) && bareWord(x) != "" })
}

// bareWord is a word in lower case, without the punctuation behind it.
func bareWord(word string) string { return strings.ToLower(strings.TrimRight(word, ".,;:!?")) }
