package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"easel/engine/local"
)

// TestWhatTheEngineListsIsTranslated: the window says in German and Spanish what the engine says of its methods and their
// settings, though the engine knows nothing of that.
func TestWhatTheEngineListsIsTranslated(t *testing.T) {
	presets, err := readPresets()
	if err != nil {
		t.Fatal(err)
	}
	eng, err := local.New(local.Options{Presets: presets})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	var texts []string
	for _, m := range eng.Methods() {
		texts = append(texts, m.Updates, m.Good, m.Harm)
		for _, f := range m.Files {
			texts = append(texts, f.Title)
		}
		for _, s := range m.Settings {
			title := strings.ReplaceAll(s.Name, "-", " ")
			texts = append(texts, s.Help, strings.ToUpper(title[:1])+title[1:])
		}
	}
	if len(texts) < 50 {
		t.Fatalf("the engine lists %d texts", len(texts))
	}
	for _, language := range []string{"de", "es"} {
		data, err := os.ReadFile("gui/translations/easel." + language + ".json")
		if err != nil {
			t.Fatal(err)
		}
		translated := map[string]any{}
		if err := json.Unmarshal(data, &translated); err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if _, ok := translated[text]; !ok {
				t.Errorf("%s has no %q", language, text)
			}
		}
	}
}
