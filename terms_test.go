package main

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/guitest"
	"easel/gui/method"
	"easel/gui/project"
	"easel/gui/widgets"
)

// plain are the names on the Method page that need no explanation beside the one they have.
var plain = []string{"What shall the model learn?", "How shall it learn?", "What follows from that", "What is it?", "Begin with", "Mirror", "Cuts", "Shuffle captions", "Keep in front",
	"Templates", "Files", "Text until", "Words", "Pictures and captions", "What shall not be forgotten", "Grid, model and file"}

// TestSettingsAreExplained: each setting of each method is a term that explains itself, or a plain word.
func TestSettingsAreExplained(t *testing.T) {
	eng, err := newEngine(power{threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	test.NewTempApp(t)
	p := project.New()
	page := method.New(eng, p, func(func()) {}, test.NewTempWindow(t, widget.NewLabel("")))
	defer page.Close()
	p.Open(t.TempDir(), engine.Job{}, engine.Run{})
	guitest.Tap(t, page.Content(), "All settings")
	for _, m := range eng.Methods() {
		p.Edit(func(j *engine.Job) { j.Method = m.Name })
		var explained []fyne.CanvasObject
		for _, e := range guitest.Find[*widgets.Explained](page.Content()) {
			for _, label := range guitest.Find[*widget.Label](e) {
				explained = append(explained, label)
			}
		}
		if len(explained) < 30 {
			t.Errorf("%s: only %d labels explain themselves", m.Name, len(explained))
		}
		for _, label := range guitest.Find[*widget.Label](page.Content()) {
			if label.TextStyle.Bold && !slices.Contains(explained, fyne.CanvasObject(label)) && !slices.Contains(plain, label.Text) {
				t.Errorf("%s: nothing explains %q; gui/terms/table.go may", m.Name, label.Text)
			}
		}
	}
}
