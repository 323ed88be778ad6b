package tagger

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"easel/engine"
)

// Kind is what a tag says something about.
type Kind int

// The kinds, by Danbooru's numbers; the ratings are the tagger's own.
const (
	General   Kind = 0
	Character Kind = 4
	Rating    Kind = 9
)

// Tag is one of the tags that a tagger knows.
type Tag struct {
	Text string // as captions have it: "long hair"
	Kind Kind
}

// maxTags is more than any tagger knows; the published one knows 10861.
const maxTags = 1 << 17

// kaomoji are the tags whose underscores are no spaces (SmilingWolf's wd-tagger app).
var kaomoji = []string{"0_0", "(o)_(o)", "+_+", "+_-", "._.", "<o>_<o>", "<|>_<|>", "=_=", ">_<", "3_3", "6_9", ">_o", "@_@", "^_^", "o_o", "u_u", "x_x", "|_|", "||_||"}

// ParseTags reads a selected_tags.csv: a header that names the columns name and category, then a tag a line, in the order
// of the scores. Error: BadFile.
func ParseTags(text []byte) ([]Tag, error) {
	bad := func(format string, args ...any) ([]Tag, error) {
		return nil, engine.Errorf("read list of tags", "", engine.BadFile, format, args...)
	}
	if !utf8.Valid(text) {
		return bad("this is no list of tags: it is not UTF-8 text")
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return bad("this is no list of tags: %w", err)
	}
	name, category := slices.Index(header, "name"), slices.Index(header, "category")
	if name < 0 || category < 0 {
		return bad("this is no list of tags: its first line does not name the columns name and category")
	}
	var tags []Tag
	for {
		record, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return tags, nil
		case err != nil:
			return bad("the list of tags is damaged: %w", err)
		case len(tags) == maxTags:
			return bad("more than %d tags are more than any tagger knows", maxTags)
		}
		kind, err := strconv.Atoi(record[category])
		if err != nil {
			return bad("the list of tags is damaged: tag %d is of the category %q", len(tags)+1, record[category])
		}
		tags = append(tags, Tag{spell(record[name]), Kind(kind)})
	}
}

// spell writes a tag as captions have it: with spaces, without commas, which stand between tags, and on one line.
func spell(tag string) string {
	if slices.Contains(kaomoji, tag) {
		return tag
	}
	return strings.Join(strings.FieldsFunc(tag, func(r rune) bool { return r == '_' || r == ',' || unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
}
