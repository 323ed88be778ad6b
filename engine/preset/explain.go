package preset

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"github.com/BurntSushi/toml"

	"easel/engine"
)

// asAsked is the reason of a value that the user gave.
const asAsked = "as you set it"

// subject are the keys that say what is trained, not how.
var subject = []string{"method", "model", "vae", "images", "word", "class", "out", "from"}

// explain lists the values of a filled job with where they come from.
func explain(job engine.Job, given map[string]any, chosen map[string]value) ([]engine.Choice, error) {
	now, err := flatten(job)
	if err != nil {
		return nil, err
	}
	var choices []engine.Choice
	for _, key := range slices.Sorted(maps.Keys(now)) {
		if slices.Contains(subject, key) {
			continue
		}
		c := engine.Choice{Name: key, Value: fmt.Sprint(now[key]), Reason: asAsked}
		if v, ok := chosen[key]; ok {
			c.Reason, c.Source = v.why, v.from
		} else if _, ok := given[key]; !ok {
			continue
		}
		choices = append(choices, c)
	}
	return choices, nil
}

// flatten lists what a job says, by dotted key: what is not zero.
func flatten(job engine.Job) (map[string]any, error) {
	var text bytes.Buffer
	if err := toml.NewEncoder(&text).Encode(job); err != nil {
		return nil, engine.Errorf("choose settings", "", engine.BadInput, "%w", err)
	}
	var doc map[string]any
	if _, err := toml.Decode(text.String(), &doc); err != nil {
		return nil, engine.Errorf("choose settings", "", engine.BadInput, "%w", err)
	}
	flat := map[string]any{}
	var walk func(prefix string, m map[string]any)
	walk = func(prefix string, m map[string]any) {
		for key, v := range m {
			if table, ok := v.(map[string]any); ok {
				walk(prefix+key+".", table)
			} else if r := reflect.ValueOf(v); !r.IsZero() && (r.Kind() != reflect.Slice || r.Len() > 0) {
				flat[prefix+key] = v
			}
		}
	}
	walk("", doc)
	return flat, nil
}

// perPicture is a number that grows with the pictures: "100 per picture, 400 to 1500".
var perPicture = regexp.MustCompile(`^(\d+) per picture, (\d+) to (\d+)$`)

// number works a value out for a number of pictures.
func number(v any, pictures int) (any, error) {
	text, ok := v.(string)
	if !ok {
		return v, nil
	}
	m := perPicture.FindStringSubmatch(text)
	if m == nil {
		return v, nil
	}
	var n [3]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(m[i+1]); err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
	}
	return min(max(n[0]*pictures, n[1]), n[2]), nil
}
