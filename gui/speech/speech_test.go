package speech

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"os"
	"strings"
	"testing"

	"easel/engine"
	"easel/engine/dataset"
)

// translations are the window's texts in a language.
func translations(t *testing.T, language string) map[string]any {
	data, err := os.ReadFile("../translations/easel." + language + ".json")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]any{}
	if err := json.Unmarshal(data, &texts); err != nil {
		t.Fatal(err)
	}
	return texts
}

// german is translated where the system's language is German.
func german(t *testing.T) translation {
	texts := translations(t, "de")
	return func(text string) string {
		if said, ok := texts[text].(string); ok {
			return said
		}
		return text
	}
}

func TestSentencesAreSaidWithWhatIsFilledIn(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"the file is empty", "die Datei ist leer"},
		{"12 tokens: the model reads only the first 77.", "12 Tokens: das Modell liest nur die ersten 77."},
		{`"zorbit" is missing: this picture would not teach it.`, `"zorbit" fehlt: dieses Bild würde es nicht lehren.`},
		{"Cannot be used: the file is empty.", "Nicht brauchbar: die Datei ist leer."},
		{"keeps everything in memory; takes about 0.36 GB of at most 23.19 GB", "behält alles im Speicher; braucht etwa 0.36 GB von höchstens 23.19 GB"},
		{"computes norms, activations and products again in the backward pass, renders 2 at a time, trains at 448 px; takes about 9.00 GB of at most 9.10 GB",
			"rechnet Normen, Aktivierungen und Produkte im Rückwärtsgang noch einmal, malt 2 auf einmal, trainiert mit 448 px; braucht etwa 9.00 GB von höchstens 9.10 GB"},
		{"Cannot be used: it sings.", "Nicht brauchbar: it sings."}, // what is not known stays
	} {
		if got, ok := say(c.text, german(t)); got != c.want || !ok {
			t.Errorf("%q is said as %q, want %q", c.text, got, c.want)
		}
	}
	for _, text := range []string{"", "nobody knows this", "a, b, c", "{{.Count}}", "twelve tokens: the model reads only the first 77."} {
		if got, ok := say(text, german(t)); got != text || ok {
			t.Errorf("%q is said as %q", text, got)
		}
	}
}

// TestLongNames would not end if each comma doubled the work: generated pictures carry their prompts as names.
func TestLongNames(t *testing.T) {
	name := strings.Repeat("a tag, ", 400) + "a cat.png"
	for _, text := range []string{name, "Nearly the same as " + name + ". Keep one, or the model learns that view by heart."} {
		if got, _ := say(text, german(t)); !strings.Contains(got, name) {
			t.Errorf("the name is said as %.100q", got)
		}
	}
}

// TestWhatTheEngineSaysOfPicturesIsKnown asks the engine's own code for its sentences.
func TestWhatTheEngineSaysOfPicturesIsKnown(t *testing.T) {
	words := func(s string) int { return len(strings.Fields(s)) }
	issues := dataset.CheckCaption("a red cup and a red cup and so on "+strings.Repeat("word ", 90), "zorbit", "toy", words).Issues
	small := dataset.Look{}
	small.Meta.Width, small.Meta.Height, small.Meta.Orientation = 600, 100, 6
	issues = append(append(issues, small.Issues(image.Pt(1024, 512))...), dataset.Duplicate("other.png"))
	if len(issues) != 8 {
		t.Fatalf("%d issues: %v", len(issues), issues)
	}
	for _, issue := range issues {
		if _, ok := say(issue.Text, german(t)); !ok {
			t.Errorf("%q is not known", issue.Text)
		}
	}
	for _, r := range []dataset.Reason{dataset.Empty, dataset.NotAPicture, dataset.Unsupported, dataset.TooLarge, dataset.Truncated, dataset.Damaged,
		dataset.Unreadable, dataset.Subfolder, dataset.Unused, dataset.NotText} {
		if _, ok := say(r.Error(), german(t)); !ok {
			t.Errorf("%q is not known", r.Error())
		}
	}
}

func TestAnErrorKeepsItsWords(t *testing.T) {
	err := engine.Errorf("read model", "a.ckpt", engine.BadFile, "it ends early")
	if got := Error(err); got != err.Error() { // English
		t.Errorf("it says %q", got)
	}
	if got := Error(errors.New("plain")); got != "plain" {
		t.Errorf("it says %q", got)
	}
	wrapped := fmt.Errorf("train: %w", err)
	if got := inWords(wrapped, german(t)); !strings.HasPrefix(got, "Eine Datei ist beschädigt") || !strings.HasSuffix(got, wrapped.Error()) {
		t.Errorf("it says %q", got)
	}
	known := engine.Errorf("read picture", "a.png", engine.BadFile, "%w", dataset.Empty)
	if got := inWords(known, german(t)); got != "a.png: die Datei ist leer" {
		t.Errorf("it says %q", got)
	}
}

// TestTheWindowNamesNoFlags: what the engine says with the command line's words is said otherwise in English too.
func TestTheWindowNamesNoFlags(t *testing.T) {
	english := translations(t, "en")
	for _, f := range formats {
		said := f.text
		if other, ok := english[f.text].(string); ok {
			said = other
		}
		if strings.Contains(said, "--") {
			t.Errorf("it says %q", said)
		}
	}
}
