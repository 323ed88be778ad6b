package gui

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var spoken = regexp.MustCompile(`lang\.[LNX]\(("(?:[^"\\]|\\.)*")`)

// translated are the folders whose texts German and Spanish have; a page that has them not yet is shown in English.
var translated = []string{".", "pictures", "settings"}

func TestGermanAndSpanishSayAll(t *testing.T) {
	for _, language := range []string{"de", "es"} {
		data, err := os.ReadFile(filepath.Join("translations", "easel."+language+".json"))
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]any{}
		if err := json.Unmarshal(data, &texts); err != nil {
			t.Fatal(err)
		}
		for key, text := range texts {
			if text, ok := text.(string); ok && key != "pictures.advice" && !slices.Equal(verbs(key), verbs(text)) {
				t.Errorf("%s: %q does not fill in what %q does", language, text, key)
			}
		}
		for _, dir := range translated {
			files, err := filepath.Glob(filepath.Join(dir, "*.go"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				for _, key := range textsOf(t, file) {
					if _, ok := texts[key]; !ok {
						t.Errorf("%s has no %q of %s", language, key, file)
					}
				}
			}
		}
	}
}

// textsOf lists what a source file says.
func textsOf(t *testing.T, file string) (keys []string) {
	if strings.HasSuffix(file, "_test.go") {
		return nil
	}
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range spoken.FindAllStringSubmatch(string(source), -1) {
		key, err := strconv.Unquote(match[1])
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	return keys
}

// verbs are what fmt fills in, in their order.
func verbs(text string) []string { return regexp.MustCompile(`%[a-z]`).FindAllString(text, -1) }
