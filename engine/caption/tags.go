package caption

import (
	"cmp"
	"slices"
	"strings"

	"easel/engine/tokenizer"
)

// splitTags are the parts of comma lists, each once whatever its case.
func splitTags(lists ...string) []string {
	var tags []string
	seen := map[string]bool{}
	for _, list := range lists {
		for tag := range strings.SplitSeq(strings.ToValidUTF8(list, ""), ",") {
			tag = strings.Join(strings.Fields(tag), " ")
			if key := strings.ToLower(tag); tag != "" && !seen[key] {
				seen[key] = true
				tags = append(tags, tag)
			}
		}
	}
	return tags
}

// without leaves out the tags that are among others, whatever their case.
func without(tags []string, others ...string) []string {
	return slices.DeleteFunc(tags, func(tag string) bool {
		return slices.ContainsFunc(others, func(other string) bool { return strings.EqualFold(tag, other) })
	})
}

// subject is what the policy calls what the pictures show.
func (p Policy) subject() string { return strings.TrimSpace(p.Word + " " + p.Class) }

// makeTags is Make for tags: the word with the class first, then what was found, as many as CLIP reads; prefix and suffix
// are tags around them. A tag that says the class alone is left out.
func (p Policy) makeTags(found string) string {
	before, after := splitTags(p.Prefix), splitTags(p.Suffix)
	tags := without(splitTags(found), slices.Concat(before, after, []string{p.subject(), p.Word, p.Class})...)
	if subject := p.subject(); subject != "" {
		before = append(without(before, subject), subject)
	} else if len(tags) == 0 {
		return ""
	}
	return fit(tags, func(some []string) string { return strings.Join(slices.Concat(before, some, after), ", ") })
}

// addTags is add for tags: those that the caption does not have.
func (p Policy) addTags(caption, found string) (string, Action) {
	have := append(splitTags(caption), p.subject(), p.Word, p.Class)
	tags := without(splitTags(found), have...)
	if len(tags) == 0 {
		return caption, Kept
	}
	if name := cmp.Or(p.Word, p.Class); name != "" && !hasWord(caption, name) {
		tags = append([]string{p.subject()}, tags...)
	}
	made := fit(tags, func(some []string) string {
		if len(some) == 0 {
			return caption
		}
		return strings.TrimRight(caption, " ,;") + ", " + strings.Join(some, ", ")
	})
	if made == caption {
		return caption, Kept
	}
	return made, Appended
}

// fit is the text of as many of the first tags as CLIP reads to the end, or of none.
func fit(tags []string, text func(some []string) string) string {
	for n := min(len(tags), tokenizer.Room); ; n-- { // a comma is a token
		if made := text(tags[:n]); n == 0 || tokenizer.CLIP().Count(made) <= tokenizer.Room {
			return made
		}
	}
}
