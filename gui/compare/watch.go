package compare

import (
	"fmt"

	"fyne.io/fyne/v2/lang"

	"easel/engine"
	"easel/gui/speech"
	"easel/gui/widgets"
)

// watch is what the page knows of a comparison, from its record and its events.
type watch struct {
	comparison engine.Comparison
	running    bool
	fresh      []string         // the newest pictures of the method whose turn it is
	step       engine.StepEvent // its last
	doing      string           // what the engine does at the moment
	warning    string           // the newest
}

// apply takes an event over.
func (w *watch) apply(e engine.Event) {
	switch {
	case e.Compare != nil:
		before, columns := w.comparison.Before, w.comparison.Columns
		w.comparison, w.fresh, w.step = e.Compare.Comparison, nil, engine.StepEvent{}
		if len(w.comparison.Before) == 0 { // known from events, or a record
			w.comparison.Before, w.comparison.Columns = before, columns
		}
	case e.Setup != nil:
		w.doing = lang.L("preparing")
	case e.Step != nil:
		w.step = *e.Step
		w.doing = fmt.Sprintf(lang.L("step %d of %d, %s left"), e.Step.Step, e.Step.Steps, widgets.Duration(e.Step.SecondsLeft))
	case e.Sampling != nil && e.Sampling.Pictures == e.Sampling.Picture: // else it prepares
		w.doing = lang.L("painting the prompts")
	case e.Grid != nil && e.Grid.Row.Step > 0:
		w.fresh = e.Grid.Row.Pictures
	case e.Grid != nil && len(w.comparison.Before) == 0:
		w.comparison.Before, w.comparison.Columns = e.Grid.Row.Pictures, e.Grid.Columns
	case e.Warning != nil:
		w.warning = speech.Of(e.Warning.Text)
	}
}

// none tells whether nothing was compared.
func (w *watch) none() bool { return len(w.comparison.Request.Methods) == 0 }

// interrupted tells whether the comparison can go on.
func (w *watch) interrupted() bool { return !w.running && w.comparison.Turn != "" }

// progress is the share of the methods that are done, 0 to 1; the one in progress counts by its steps.
func (w *watch) progress() float64 {
	done := float64(len(w.comparison.Rows))
	if w.step.Steps > 0 {
		done += float64(w.step.Step) / float64(w.step.Steps)
	}
	return done / float64(max(len(w.comparison.Request.Methods), 1))
}

// line is a row of the grid.
type line struct {
	title, status string
	pictures      []string
}

// lines are the untrained model's, then each method's. titles are those of methods.
func (w *watch) lines(titles map[string]string) []line {
	c := w.comparison
	lines := []line{{title: lang.L("Before"), status: lang.L("the untrained model"), pictures: c.Before}}
	for i, method := range c.Request.Methods {
		l := line{title: titles[method], status: lang.L("waits")}
		switch {
		case i < len(c.Rows) && c.Rows[i].Problem != "":
			l.status = speech.Of(c.Rows[i].Problem)
		case i < len(c.Rows):
			l.pictures = c.Rows[i].Pictures
			l.status = fmt.Sprintf(lang.L("%d steps in %s"), c.Rows[i].Summary.Steps, widgets.Duration(c.Rows[i].Summary.Seconds))
		case method == c.Turn && w.running:
			l.pictures, l.status = w.fresh, w.doing
		case method == c.Turn:
			l.pictures, l.status = w.fresh, lang.L("interrupted")
		}
		lines = append(lines, l)
	}
	return lines
}
