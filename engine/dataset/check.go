package dataset

import (
	"fmt"
	"strings"
	"unicode"

	"easel/engine"
)

// tokenLimit is how many tokens CLIP's text encoder takes, with its start and end marks.
const tokenLimit = 77

// CheckCaption says what about a caption wants attention. count counts the tokens of a text without start and end marks.
// An empty caption has no issues: a template takes its place.
func CheckCaption(caption, word, class string, count func(string) int) engine.CaptionCheck {
	check := engine.CaptionCheck{Tokens: count(caption) + 2, Limit: tokenLimit}
	add := func(kind engine.IssueKind, format string, args ...any) {
		check.Issues = append(check.Issues, engine.Issue{Kind: kind, Text: fmt.Sprintf(format, args...)})
	}
	words := captionWords(caption)
	if len(words) == 0 {
		return check
	}
	if own := captionWords(word); len(own) > 0 && indexWords(words, own) < 0 {
		add(engine.IssueNoWord, "%q is missing: this picture would not teach it.", strings.TrimSpace(word))
	}
	if noun := captionWords(class); len(noun) > 0 && indexWords(words, noun) < 0 {
		add(engine.IssueNoClass, "%q is missing: say what kind of thing it is.", strings.TrimSpace(class))
	}
	if phrase := repeated(words); phrase != "" {
		add(engine.IssueRepeated, "%q occurs twice.", phrase)
	}
	if check.Tokens > check.Limit {
		add(engine.IssueTooLong, "%d tokens: the model reads only the first %d.", check.Tokens, check.Limit)
	}
	return check
}

// captionWords are the words of a text, without case and marks.
func captionWords(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r) && r != '\'' && r != '_' && r != '<' && r != '>'
	})
}

// indexWords is where part begins in words, -1 where it does not occur.
func indexWords(words, part []string) int {
	for i := 0; i+len(part) <= len(words); i++ {
		if equalWords(words[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

func equalWords(a, b []string) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// shortestPhrase is from how many words on a repetition counts: "on a" may well occur twice.
const shortestPhrase = 3

// repeated is the longest phrase that occurs a second time without overlapping the first, "" without one.
func repeated(words []string) string {
	for n := len(words) / 2; n >= shortestPhrase; n-- {
		for i := 0; i+2*n <= len(words); i++ {
			if indexWords(words[i+n:], words[i:i+n]) >= 0 {
				return strings.Join(words[i:i+n], " ")
			}
		}
	}
	return ""
}
