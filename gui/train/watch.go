package train

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"fyne.io/fyne/v2/lang"

	"easel/engine"
	"easel/gui/speech"
	"easel/gui/widgets"
)

// watch is what the page knows of a run, from its records and its events.
type watch struct {
	columns []string
	rows    []widgets.GridRow
	losses  []widgets.Point
	step    engine.StepEvent // the last
	steps   int
	job     engine.Job
	fitted  bool    // its memory is planned
	change  float64 // weight change at the newest row
	doing   string  // what the engine does at the moment
	part    string  // the part of the preparation that it is at
	paused  string  // the same while it waits; else ""
	warning string  // the newest
	view    *engine.ViewEvent
	chosen  int // step of the exported file, -1 where there is none
	summary *engine.Summary
}

// watching begins with what is on disk; a run whose Dir is "" has not begun.
func watching(run engine.Run) watch {
	w := watch{columns: run.Columns, job: run.Job, steps: run.Job.Steps, step: engine.StepEvent{Step: run.Step, Steps: run.Job.Steps, Rate: run.Job.Rate, SecondsPerStep: run.SecondsPerStep}, chosen: -1}
	for _, row := range run.Rows {
		w.rows = append(w.rows, widgets.GridRow{Step: row.Step, Pictures: row.Pictures})
		w.change = row.WeightChange
	}
	for _, l := range run.Losses {
		w.losses = append(w.losses, widgets.Point{X: float64(l.Step), Y: l.Loss})
	}
	switch {
	case run.Exported.Path != "":
		w.chosen = run.Exported.Step
	case run.Done:
		w.chosen = run.Step
	}
	return w
}

// apply takes an event over.
func (w *watch) apply(e engine.Event) {
	switch {
	case e.Setup != nil:
		w.part = w.after(e.Setup.What)
		w.doing = w.part
	case e.Step != nil:
		w.applyStep(*e.Step)
	case e.Sampling != nil && e.Sampling.Pictures > e.Sampling.Picture: // some at a time, before training
		w.doing = fmt.Sprintf(lang.L("%s, %d of %d"), w.part, e.Sampling.Picture, e.Sampling.Pictures)
	case e.Sampling != nil:
		w.doing = fmt.Sprintf(lang.L("Rendering pictures, step %d of %d"), e.Sampling.Step, e.Sampling.Steps)
	case e.Grid != nil:
		w.columns = e.Grid.Columns
		w.applyRow(e.Grid.Row)
		if w.doing = cmp.Or(w.paused, lang.L("Training")); w.steps > 0 && e.Grid.Row.Step >= w.steps {
			w.doing = lang.L("Writing the file, and painting with it")
		}
	case e.Pause != nil && e.Pause.Paused:
		w.paused = fmt.Sprintf(lang.L("Paused after step %d"), e.Pause.Step)
		w.doing = w.paused
	case e.Pause != nil:
		w.doing, w.paused = lang.L("Training"), ""
	case e.View != nil:
		w.view = e.View
	case e.Export != nil:
		w.chosen = e.Export.Step
	case e.Warning != nil:
		w.warning = about(e.Warning.Path, e.Warning.Text)
	case e.Result != nil:
		w.summary = &e.Result.Summary
	}
}

// about says which file a text of the engine's is about.
func about(path, text string) string {
	if path == "" {
		return widgets.Sentence(speech.Of(text))
	}
	return filepath.Base(path) + ": " + speech.Of(text)
}

func (w *watch) applyStep(e engine.StepEvent) {
	w.step, w.steps, w.doing = e, e.Steps, lang.L("Training")
	for len(w.losses) > 0 && w.losses[len(w.losses)-1].X >= float64(e.Step) { // a resumed run repeats steps
		w.losses = w.losses[:len(w.losses)-1]
	}
	w.losses = append(w.losses, widgets.Point{X: float64(e.Step), Y: e.Loss})
}

// applyRow adds a row, or puts it in place of the one of its step.
func (w *watch) applyRow(row engine.GridRow) {
	if row.WeightChange > 0 {
		w.change = row.WeightChange
	}
	shown := widgets.GridRow{Step: row.Step, Pictures: row.Pictures}
	i, found := slices.BinarySearchFunc(w.rows, row.Step, func(r widgets.GridRow, step int) int { return r.Step - step })
	if found {
		w.rows = slices.Clone(w.rows)
		w.rows[i] = shown
		return
	}
	w.rows = slices.Insert(slices.Clone(w.rows), i, shown)
}

// progress is the share of steps done, 0 to 1.
func (w *watch) progress() float64 {
	if w.steps == 0 {
		return 0
	}
	return float64(w.step.Step) / float64(w.steps)
}

// numbers are what stands beside the plot, name and value.
func (w *watch) numbers() [][2]string {
	blank := func(shown bool, text string) string {
		if !shown {
			return "–"
		}
		return text
	}
	s := w.step
	return [][2]string{
		{lang.L("Step"), blank(w.steps > 0, fmt.Sprintf("%d / %d", s.Step, w.steps))},
		{lang.L("Time left"), blank(s.SecondsLeft > 0, widgets.Duration(s.SecondsLeft))},
		{lang.L("A step takes"), blank(s.SecondsPerStep > 0, fmt.Sprintf("%.3g s", s.SecondsPerStep))},
		{lang.L("Loss"), blank(s.Smooth > 0, fmt.Sprintf("%.4f", s.Smooth))},
		{lang.L("Weight change"), blank(w.change > 0, fmt.Sprintf("%.2f %%", 100*w.change))},
		{lang.L("Learning rate"), blank(s.Rate > 0, fmt.Sprintf("%.2g", s.Rate))},
		{lang.L("Memory"), blank(s.Memory > 0, fmt.Sprintf("%.2f GB", float64(s.Memory)/1e9))},
	}
}
