package compare

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// setup asks which methods take part, and how long each trains.
type setup struct {
	object  fyne.CanvasObject
	methods []engine.MethodInfo
	checks  []*widget.Check
	costs   []*widget.Label
	length  *widget.RadioGroup
	minutes *widgets.Entry
	total   *widget.Label
	changed func()
}

// usualMinutes are what is suggested where all methods have the same time.
const usualMinutes = "3"

func newSetup(methods []engine.MethodInfo, changed func()) *setup {
	s := &setup{methods: methods, minutes: widgets.NewEntry(false), total: widgets.Wrapped(""), changed: changed}
	list := container.New(checkLayout{})
	for _, m := range methods {
		check := widget.NewCheck(m.Title, func(bool) { s.changed() })
		check.Checked = true
		cost := widgets.Quiet("")
		s.checks, s.costs = append(s.checks, check), append(s.costs, cost)
		list.Add(check)
		list.Add(cost)
	}
	s.length = widget.NewRadioGroup([]string{byPresets(), byTime()}, func(string) { s.changed() })
	s.length.Required, s.length.Selected = true, byPresets()
	s.minutes.SetText(usualMinutes)
	s.minutes.OnChanged = func(string) {
		s.length.Selected = byTime()
		s.length.Refresh()
		s.changed()
	}
	minutes := container.New(layout.NewCustomPaddedLayout(0, 0, theme.Wide, 0),
		container.NewHBox(container.NewGridWrap(fyne.NewSize(72, s.minutes.MinSize().Height), s.minutes), widget.NewLabel(lang.L("minutes each"))))
	bold := func(text string) fyne.CanvasObject {
		return widget.NewLabelWithStyle(text, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	}
	s.object = widgets.Card(container.New(layout.NewCustomPaddedVBoxLayout(theme.Tight),
		bold(lang.L("Which methods take part?")), list, bold(lang.L("How long does each learn?")), s.length, minutes, s.total))
	return s
}

func byPresets() string { return lang.L("As many steps as suit the method") }

func byTime() string { return lang.L("All the same time:") }

// chosen are the names of the methods that take part.
func (s *setup) chosen() (names []string) {
	for i, m := range s.methods {
		if s.checks[i].Checked {
			names = append(names, m.Name)
		}
	}
	return names
}

// seconds that each method trains; 0 gives each the steps of its presets. It is negative where what is typed is no time.
func (s *setup) seconds() float64 {
	if s.length.Selected == byPresets() {
		return 0
	}
	minutes, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(s.minutes.Text), ",", "."), 64)
	if err != nil || !(minutes > 0 && minutes <= 100_000) {
		return -1
	}
	return 60 * minutes
}

// take sets up what was asked for before.
func (s *setup) take(request engine.CompareRequest) {
	for i, m := range s.methods {
		s.checks[i].Checked = slices.Contains(request.Methods, m.Name)
		s.checks[i].Refresh()
	}
	if s.length.Selected = byPresets(); request.Seconds > 0 {
		s.minutes.SetText(strconv.FormatFloat(request.Seconds/60, 'g', 6, 64))
		s.length.Selected = byTime()
	}
	s.length.Refresh()
}

// show shows what the methods take; missing is what the project still needs.
func (s *setup) show(known map[string]price, missing string) {
	seconds := s.seconds()
	for i, m := range s.methods {
		p, measured := known[m.Name]
		widgets.SetText(s.costs[i], cost(p, measured, missing == "", seconds))
		s.allow(s.checks[i], p.problem == "")
	}
	text, importance := s.verdict(known, missing, seconds), widget.MediumImportance
	if s.problem(missing) != "" {
		importance = widget.WarningImportance
	}
	s.total.Importance = importance
	widgets.SetText(s.total, text)
}

// allow lets a method take part, or not.
func (*setup) allow(check *widget.Check, on bool) {
	switch {
	case on == !check.Disabled():
	case on:
		check.Enable()
	default:
		check.Checked = false
		check.Disable()
	}
}

// cost says what a method takes.
func cost(p price, measured, ready bool, seconds float64) string {
	switch {
	case measured && p.problem != "":
		return fmt.Sprintf(lang.L("Not possible here: %s"), p.problem)
	case !measured && !ready:
		return ""
	case !measured:
		return lang.L("A few steps are being measured …")
	}
	steps, time := p.preview.Job.Steps, p.preview.Seconds
	if seconds > 0 && p.preview.SecondsPerStep > 0 {
		steps = max(int(seconds/p.preview.SecondsPerStep), engine.FewestCompared)
		time = max(seconds, float64(steps)*p.preview.SecondsPerStep)
	}
	return fmt.Sprintf(lang.L("About %s for %d steps, with %s of memory."), widgets.Duration(time), steps, widgets.Bytes(p.preview.Plan.Peak))
}

// problem is why the comparison cannot start; "" where it can.
func (s *setup) problem(missing string) string {
	switch {
	case missing != "":
		return lang.L(missing)
	case len(s.chosen()) == 0:
		return lang.L("Choose at least one method.")
	case s.seconds() < 0:
		return lang.L("The time must be a number of minutes, such as 3.")
	}
	return ""
}

// verdict says what all methods take together, or why they cannot start.
func (s *setup) verdict(known map[string]price, missing string, seconds float64) string {
	if problem := s.problem(missing); problem != "" {
		return problem
	}
	sum := 0.0
	for _, name := range s.chosen() {
		p, measured := known[name]
		switch {
		case seconds > 0:
			sum += seconds
		case measured:
			sum += p.preview.Seconds
		default:
			return lang.L("How long it takes is being measured. You need not wait for that.")
		}
	}
	return fmt.Sprintf(lang.L("About %s for all together, and somewhat more for the pictures."), widgets.Duration(sum))
}

// checkLayout lays names at the left and what is said of each at the right.
type checkLayout struct{}

// Layout implements fyne.Layout.
func (l checkLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	left, y := l.left(objects), float32(0)
	for i := 0; i+1 < len(objects); i += 2 {
		objects[i+1].Resize(fyne.NewSize(max(size.Width-left, 80), objects[i+1].Size().Height))
		height := l.height(objects[i : i+2])
		objects[i].Move(fyne.NewPos(0, y))
		objects[i].Resize(fyne.NewSize(left, height))
		text := objects[i+1].MinSize().Height
		objects[i+1].Move(fyne.NewPos(left, y+(height-text)/2))
		objects[i+1].Resize(fyne.NewSize(max(size.Width-left, 80), text))
		y += height
	}
}

// left is the width of the names.
func (checkLayout) left(objects []fyne.CanvasObject) (width float32) {
	for i := 0; i < len(objects); i += 2 {
		width = max(width, objects[i].MinSize().Width)
	}
	return width
}

func (checkLayout) height(pair []fyne.CanvasObject) float32 {
	return max(pair[0].MinSize().Height, pair[1].MinSize().Height)
}

// MinSize implements fyne.Layout.
func (l checkLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(l.left(objects)+160, 0)
	for i := 0; i+1 < len(objects); i += 2 {
		size.Height += l.height(objects[i : i+2])
	}
	return size
}
