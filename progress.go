package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"easel/engine"
)

// sink returns what shows a call's events, and a function to call when no more will come.
func (p *program) sink(asJSON bool) (sink engine.Sink, finish func()) {
	if asJSON {
		encoder := json.NewEncoder(p.out)
		encoder.SetEscapeHTML(false)
		return func(e engine.Event) {
			if err := encoder.Encode(e); err != nil { // a number that is not finite
				p.warn(engine.WarningEvent{Text: fmt.Sprintf("event %s left out: %v", e.Kind, err)})
			}
		}, func() {}
	}
	view := &progress{p: p}
	return view.show, view.end
}

// progress shows events to a person: a line for what is done, and on a terminal one line that changes.
type progress struct {
	p       *program
	drawn   bool // the changing line is on the screen
	tenth   int  // of the steps, printed last where there is no terminal
	started bool
}

func (v *progress) show(e engine.Event) {
	switch {
	case e.Setup != nil:
		v.line("%-12s%s (%.1f s)", e.Setup.What, e.Setup.Detail, e.Setup.Seconds)
	case e.Compare != nil && e.Compare.Comparison.Turn != "":
		c := e.Compare.Comparison
		v.line("%-12s%s, %d of %d", "compare", c.Turn, len(c.Rows)+1, len(c.Request.Methods))
	case e.Step != nil:
		v.step(*e.Step)
	case e.Sampling != nil:
		v.draw(samplingLine(*e.Sampling))
	case e.Caption != nil:
		v.caption(*e.Caption)
	case e.Grid != nil:
		v.line("%-12s%d pictures at step %d", "grid", len(e.Grid.Row.Pictures), e.Grid.Row.Step)
	case e.Validation != nil:
		v.line("%-12sloss %.4f of the pictures held out, at step %d", "validation", e.Validation.Loss, e.Validation.Step)
	case e.Checkpoint != nil:
		v.line("%-12s%s", "checkpoint", e.Checkpoint.Path)
	case e.Warning != nil:
		v.end()
		v.p.warn(*e.Warning)
	}
}

// caption prints a line a picture, save those whose captions stay.
func (v *progress) caption(c engine.CaptionEvent) {
	if c.Done == "kept" {
		return
	}
	mark := ""
	if c.Unsure {
		mark = " (unsure)"
	}
	v.line("%*d/%d  %-24s %s%s", len(fmt.Sprint(c.Pictures)), c.Picture, c.Pictures, filepath.Base(c.Path), c.Text, mark)
}

// step redraws the bar, or prints a line at the first step and then at every tenth of them.
func (v *progress) step(s engine.StepEvent) {
	if v.p.terminal {
		v.draw(stepLine(s))
		return
	}
	tenth := 10 * s.Step / max(s.Steps, 1)
	if !v.started || tenth != v.tenth {
		v.line("%s", stepLine(s))
	}
	v.started, v.tenth = true, tenth
}

// draw replaces the changing line.
func (v *progress) draw(text string) {
	if v.p.terminal {
		fmt.Fprintf(v.p.out, "\r%s\x1b[K", text)
		v.drawn = true
	}
}

// line prints a line that stays, above the changing one.
func (v *progress) line(format string, args ...any) {
	if v.drawn {
		fmt.Fprint(v.p.out, "\r\x1b[K")
		v.drawn = false
	}
	fmt.Fprintf(v.p.out, format+"\n", args...)
}

// end leaves the changing line as it is and starts a new one.
func (v *progress) end() {
	if v.drawn {
		fmt.Fprintln(v.p.out)
		v.drawn = false
	}
}

// warn prints a warning beside the output.
func (p *program) warn(w engine.WarningEvent) {
	if w.Path != "" {
		fmt.Fprintf(p.err, "warning: %s: %s\n", w.Path, w.Text)
		return
	}
	fmt.Fprintf(p.err, "warning: %s\n", w.Text)
}

// stepLine fits into 80 columns.
func stepLine(s engine.StepEvent) string {
	return fmt.Sprintf("%s %*d/%d  loss %.4f  %.3g s/step  %s left", bar(s.Step, s.Steps),
		len(fmt.Sprint(s.Steps)), s.Step, s.Steps, s.Smooth, s.SecondsPerStep, duration(s.SecondsLeft))
}

func samplingLine(s engine.SamplingEvent) string {
	done, all := (s.Picture-1)*s.Steps+s.Step, s.Pictures*s.Steps
	return fmt.Sprintf("%s picture %d/%d, step %d/%d", bar(done, all), s.Picture, s.Pictures, s.Step, s.Steps)
}

// bar draws how much of all is done.
func bar(done, all int) string {
	const width = 24
	filled := 0
	if all > 0 {
		filled = min(max(width*done/all, 0), width)
	}
	return "[" + strings.Repeat("#", filled) + strings.Repeat(".", width-filled) + "]"
}

// isTerminal tells whether f is a screen on which a line can be redrawn.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
