package widgets_test

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"easel/gui/guitest"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// TestPromptsAreWholeAboveTheirColumns: what prompts end with is what they differ in.
func TestPromptsAreWholeAboveTheirColumns(t *testing.T) {
	prompts := []string{"a photo of a zorbit monster toy on a red background", "a photo of a zorbit monster toy on a brown table, green wall"}
	for _, scale := range []float32{1, 1.25, 1.5} {
		for _, size := range []fyne.Size{fyne.NewSize(420, 520), fyne.NewSize(650, 600), fyne.NewSize(1100, 800)} {
			app := test.NewTempApp(t)
			app.Settings().SetTheme(theme.Theme{Scale: scale})
			g := widgets.NewGrid(guitest.NewQueue().Post)
			g.Reword = func(int) {}
			w := test.NewTempWindow(t, g)
			w.Resize(size)
			g.SetRows(prompts, []widgets.GridRow{{}}, -1)
			w.Canvas().Capture()
			shown := 0
			for _, label := range guitest.Find[*widget.Label](g) {
				if !slices.Contains(prompts, label.Text) {
					continue
				}
				shown++
				if least := label.MinSize().Height; label.Size().Height < least {
					t.Errorf("text at %v, in %v: %q has %v of the %v that it needs", scale, size, label.Text, label.Size().Height, least)
				}
			}
			if shown != len(prompts) {
				t.Errorf("text at %v, in %v: %d prompts are shown", scale, size, shown)
			}
		}
	}
}

func TestRadioButtonsFallBelowEachOtherWhereTheyDoNotFit(t *testing.T) {
	test.NewTempApp(t)
	group := widget.NewRadioGroup([]string{"a person", "an animal", "a monster toy"}, nil)
	w := test.NewTempWindow(t, container.NewBorder(widgets.Across(group), nil, nil, nil))
	for _, c := range []struct {
		width  float32
		across bool
	}{{800, true}, {200, false}, {800, true}} {
		w.Resize(fyne.NewSize(c.width, 300))
		if group.Horizontal != c.across {
			t.Errorf("in %v they are beside each other: %v", c.width, group.Horizontal)
		}
		if got := group.MinSize().Width; got > c.width {
			t.Errorf("in %v they take %v", c.width, got)
		}
	}
}

func TestEmptySaysAnother(t *testing.T) {
	test.NewTempApp(t)
	e := widgets.NewEmpty("train", "Nothing yet", "Here will be pictures.")
	w := test.NewTempWindow(t, e)
	w.Resize(fyne.NewSize(900, 500))
	guitest.WantText(t, w.Content(), "Nothing yet", "Here will be pictures.")
	e.Say("On its way", "Soon.")
	guitest.WantText(t, w.Content(), "On its way", "Soon.")
}
