package gui

import (
	"fmt"
	"image/color"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/guitest"
	"easel/gui/project"
)

// compared is a finished comparison of all methods in the project dir.
func compared(t *testing.T, dir string, methods []engine.MethodInfo) engine.Comparison {
	pictures := t.TempDir()
	c := engine.Comparison{
		Request: engine.CompareRequest{Job: engine.Job{Word: "zorbit", Class: "monster toy", Out: filepath.Join(dir, "compare")}},
		Page:    filepath.Join(dir, "compare", "compare.html"), ObeyedBefore: 0.93,
		Columns: []string{"a photo of a zorbit monster toy", "a photo of a zorbit monster toy on a red background", "a photo of a zorbit monster toy on a yellow background",
			"a photo of a zorbit monster toy on a brown table, green wall", "a red apple on a white background", "a cat on a green background"},
	}
	first, last := methods[0].Name, methods[len(methods)-1].Name
	c.Best = map[engine.Figure][]string{engine.FigureLikeness: {last}, engine.FigureObeyed: {first}, engine.FigureDrift: {first}, engine.FigureSeconds: {first}, engine.FigureMemory: {first}}
	row := func(look int) (paths []string) {
		for i := range c.Columns {
			paths = append(paths, guitest.Picture(t, pictures, fmt.Sprintf("%d-%d.png", look, i), 64, color.NRGBA{uint8(40 * look), uint8(40 + 35*i), 120, 255}))
		}
		return paths
	}
	c.Before = row(0)
	for i, m := range methods {
		share := float64(i) / 10
		c.Request.Methods = append(c.Request.Methods, m.Name)
		c.Rows = append(c.Rows, engine.Compared{Method: m.Name, Title: m.Title, Pictures: row(i + 1), Obeyed: 0.9 - share, SecondsPerStep: 0.2 + share/4,
			Summary: engine.Summary{Steps: 400, Seconds: 110, Parameters: 1_065_728, FileBytes: 2_190_000, LikenessBefore: 0.08, LikenessAfter: 0.4 + share, LikenessOwn: 0.9, Drift: share / 4, PeakMemory: 6e8 + int64(1e8*share)}})
	}
	return c
}

func TestMethodsAreComparedFromTheMethodPage(t *testing.T) {
	eng := newFakeEngine()
	dir := t.TempDir()
	eng.jobs[dir] = engine.Job{Word: "zorbit", Class: "monster toy"}
	eng.comparison = compared(t, dir, eng.Methods()[:2])
	eng.comparison.Request.Job.Out = "" // not there yet
	for i := range 3 {
		guitest.Picture(t, filepath.Join(dir, "images"), fmt.Sprintf("%d.png", i), 512, color.NRGBA{uint8(80 * i), 90, 30, 255})
	}
	w, u := newTestWindow(t, eng)
	w.Open(dir)
	u.until("the pictures are looked at", func() bool { return w.project.Pictures() == 3 })
	w.tabs.SelectIndex(1)
	guitest.Tap(t, w.window.Content(), "Compare methods on these pictures")
	wantText(t, w, "Which methods take part?")
	u.until("what it takes is measured", func() bool { return says(w, "About 10 min 00 s for all together") })
	for _, title := range []string{"Textual Inversion", "Hypernetwork", "LoRA with a new word"} {
		untick(w, title)
	}
	start := guitest.Button(t, w.window.Content(), "Start comparing")
	u.until("it is known what was compared before", func() bool { return !start.(fyne.Disableable).Disabled() })
	start.Tapped(nil)
	if !w.toolbar.start.Disabled() || w.toolbar.stop.Hidden || w.project.State() != project.Comparing {
		t.Error("the toolbar does not stop it, or begins another run")
	}
	wantText(t, w, "Methods are being compared")
	other := t.TempDir()
	eng.jobs[other] = engine.Job{Word: "blorp"}
	w.Open(other)
	u.until("no other project is opened meanwhile", func() bool { return says(w, "Stop that first, then open another.") })
	if w.project.Dir() != dir || w.project.State() != project.Comparing {
		t.Errorf("%s is open, %v", w.project.Dir(), w.project.State())
	}
	eng.turns <- struct{}{}
	u.until("the second method learns", func() bool { return says(w, "DreamBooth, 2 of 2: step 200 of 400") })
	wantText(t, w, "In figures", "Before training: 8 %")
	w.askToClose()
	guitest.Tap(t, w.window.Canvas().Overlays().Top(), "Go on training")
	guitest.Tap(t, w.toolbar.content, "Stop")
	u.until("it has stopped", func() bool { return !w.project.State().Busy() })
	guitest.Tap(t, w.window.Content(), "Back")
	wantText(t, w, "How shall it learn?")
	if w.toolbar.start.Disabled() {
		t.Error("training cannot start afterwards")
	}
}

func untick(w *Window, title string) {
	visit(w.window.Content(), func(o fyne.CanvasObject) {
		if c, ok := o.(*widget.Check); ok && c.Text == title {
			c.SetChecked(false)
		}
	})
}
