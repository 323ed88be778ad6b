package caption

import (
	"slices"
	"strings"
	"unicode"

	"easel/engine/tokenizer"
)

// place puts the policy's word and class into a sentence: in place of the class noun where the sentence has it ("a small
// dog" becomes "a small sks dog"), else of what the sentence is about ("a cyan robot on a table" becomes "a zorbit monster
// toy on a table"), else before all.
func (p Policy) place(sentence string) string {
	subject := p.subject()
	if subject == "" || p.Word != "" && hasWord(sentence, p.Word) || p.Word == "" && hasWord(sentence, p.Class) {
		return sentence
	}
	if from, to := p.noun(sentence); to > from {
		return strings.TrimSpace(article(sentence[:from], subject) + subject + sentence[to:])
	}
	words := strings.Fields(sentence)
	from, to := about(words)
	if to == from {
		return "a " + subject + ", " + sentence
	}
	if p.Class == "" { // the captioner's noun has to do
		return article(strings.Join(words[:to-1], " ")+" ", p.Word) + p.Word + " " + strings.Join(words[to-1:], " ")
	}
	head := strings.TrimLeft(strings.Join(words[:from], " ")+" a ", " ")
	return strings.TrimSpace(article(head, subject) + subject + trailing(words[to-1]) + " " + strings.Join(words[to:], " "))
}

// noun finds the class in a sentence: all its words, or the last, which is the noun.
func (p Policy) noun(sentence string) (from, to int) {
	lower, words := strings.ToLower(sentence), strings.Fields(strings.ToLower(p.Class))
	if len(words) == 0 || len(lower) != len(sentence) { // places in the two must be the same
		return 0, 0
	}
	for _, name := range []string{strings.Join(words, " "), words[len(words)-1]} {
		if at := tokenizer.IndexWord(lower, name); at >= 0 {
			return at, at + len(name)
		}
	}
	return 0, 0
}

// article mends "a" and "an" at the end of before for the word that follows.
func article(before, next string) string {
	words := strings.Fields(before)
	if len(words) == 0 || before == strings.TrimRightFunc(before, unicode.IsSpace) {
		return before
	}
	last := words[len(words)-1]
	if !slices.Contains([]string{"a", "an"}, strings.ToLower(last)) {
		return before
	}
	want := last[:1]
	if strings.ContainsRune("aeiouAEIOU", rune(next[0])) {
		want += "n"
	}
	return strings.TrimSuffix(strings.TrimRightFunc(before, unicode.IsSpace), last) + want + " "
}

// determiners begin what a sentence is about.
var determiners = []string{"a", "an", "the", "two", "three", "four", "some", "several", "this", "that"}

// views are words for pictures of something: what follows their "of" is meant.
var views = []string{"photo", "photograph", "picture", "image", "close", "closeup", "close-up", "up", "view", "drawing", "painting", "illustration",
	"rendering", "render", "portrait", "shot", "emoji", "group", "pair", "couple", "bunch"}

// borders end what a sentence is about, besides words in -ing.
var borders = []string{"of", "in", "on", "at", "with", "and", "by", "from", "to", "near", "under", "over", "behind", "beside", "against", "inside", "outside",
	"is", "are", "was", "has", "have", "that", "which", "who", "for", "next", "while", "as", "up", "down", "off", "through", "between", "around", "surrounded", "covered"}

// about finds the words of the first noun and what belongs to it, from its article on; from equals to where there is none.
func about(words []string) (from, to int) {
	for from < len(words) && slices.Contains(determiners, bareWord(words[from])) {
		to = from + 1
		for to < len(words) && !ends(words[to:]) && trailing(words[to-1]) == "" {
			to++
		}
		if to < len(words) && bareWord(words[to]) == "up" && slices.Contains(views, bareWord(words[to-1])) { // "a close up of"
			to++
		}
		if to+1 < len(words) && bareWord(words[to]) == "of" && slices.Contains(views, bareWord(words[to-1])) {
			from = to + 1
			continue
		}
		if to == from+1 { // an article and nothing
			return from, from
		}
		return from, to
	}
	return 0, 0
}

// ends says whether the noun is over before these words. A word in -ing ends it that goes on with a preposition, an article
// or not at all, as in "sitting on" and "holding a", but not in "flaming heart".
func ends(words []string) bool {
	link := func(word string) bool { return slices.Contains(borders, bareWord(word)) }
	if link(words[0]) {
		return true
	}
	return len(words[0]) > 4 && strings.HasSuffix(bareWord(words[0]), "ing") &&
		(len(words) == 1 || link(words[1]) || slices.Contains(determiners, bareWord(words[1])))
}

// leadsOn says whether a text ends with a word that wants another, such as "on" and "a".
func leadsOn(text string) bool {
	last := bareWord(text[strings.LastIndexFunc(text, unicode.IsSpace)+1:])
	return slices.Contains(borders, last) || slices.Contains(determiners, last)
}

// trailing is the punctuation at the end of a word.
func trailing(word string) string { return word[len(strings.TrimRight(word, ".,;:!?")):] }

// hasWord says whether a text holds a word, in any case and not as a part of another.
func hasWord(text, word string) bool {
	word = strings.TrimSpace(word)
	return word != "" && tokenizer.IndexWord(strings.ToLower(text), strings.ToLower(word)) >= 0
}
