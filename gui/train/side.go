package train

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/gui/project"
	"easel/gui/terms"
	"easel/gui/widgets"
)

// side shows how far the run is.
type side struct {
	object   fyne.CanvasObject
	progress *widget.ProgressBar
	doing    *widget.Label
	plot     *widgets.Plot
	names    []*widget.Label
	values   []*widget.Label
	prompt   *widgets.Entry
	known    []fyne.CanvasObject // what there is something to show in when a run has begun
}

// sideWidth leaves room for three columns of pictures in a small window.
const sideWidth = 264

func newSide(addPrompt func(string)) *side {
	s := &side{progress: widget.NewProgressBar(), doing: widgets.Quiet(""), plot: widgets.NewPlot(), prompt: widgets.NewEntry(false)}
	s.progress.TextFormatter = func() string { return "" } // the numbers say it, and half of a text would stand on either colour
	numbers := container.New(twoColumns{})
	for _, n := range new(watch).numbers() {
		name, value := widget.NewLabel(n[0]), widget.NewLabelWithStyle("", fyne.TextAlignTrailing, fyne.TextStyle{Bold: true})
		s.names, s.values = append(s.names, name), append(s.values, value)
		numbers.Add(terms.Explain(name, n[0]))
		numbers.Add(value)
	}
	s.prompt.SetPlaceHolder(lang.L("another prompt to watch"))
	s.prompt.OnSubmitted = func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			addPrompt(text)
			s.prompt.SetText("")
		}
	}
	add := widgets.NewSteady("", theme.ContentAddIcon(), func() { s.prompt.OnSubmitted(s.prompt.Text) })
	about := widgets.Caption(lang.L("Loss: how wrong the guesses are"))
	s.known = []fyne.CanvasObject{s.progress, about, s.plot, numbers}
	column := container.NewVBox(s.progress, s.doing, about, s.plot, numbers,
		widgets.Caption(lang.L("Add a column")), container.NewBorder(nil, nil, nil, add, s.prompt))
	scroll := container.NewVScroll(container.NewPadded(column))
	scroll.SetMinSize(fyne.NewSize(sideWidth, 100))
	s.object = scroll
	return s
}

func (s *side) show(w *watch, state project.State) {
	s.progress.SetValue(w.progress())
	doing := w.doing
	switch state {
	case project.Idle:
		doing = ""
	case project.Stopping:
		doing = lang.L("Stopping: what is trained is being saved")
	}
	widgets.SetText(s.doing, doing)
	widgets.Show(s.doing, doing != "")
	begun := w.steps > 0 || state.Busy()
	for _, o := range s.known {
		widgets.Show(o, begun)
	}
	s.plot.SetPoints(w.losses, float64(max(w.steps, 1)))
	for i, n := range w.numbers() {
		widgets.SetText(s.names[i], n[0])
		widgets.SetText(s.values[i], n[1])
	}
}

// twoColumns lays names at the left and values at the right of close lines.
type twoColumns struct{}

// MinSize implements fyne.Layout.
func (twoColumns) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for i := 0; i+1 < len(objects); i += 2 {
		a, b := objects[i].MinSize(), objects[i+1].MinSize()
		size.Width = max(size.Width, a.Width+b.Width)
		size.Height += lineOf(a)
	}
	return size.AddWidthHeight(0, 2*theme.InnerPadding()-theme.Padding())
}

// Layout implements fyne.Layout.
func (twoColumns) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := float32(0)
	for i := 0; i+1 < len(objects); i += 2 {
		a, b := objects[i].MinSize(), objects[i+1].MinSize()
		objects[i].Move(fyne.NewPos(0, y))
		objects[i].Resize(a)
		objects[i+1].Move(fyne.NewPos(size.Width-b.Width, y))
		objects[i+1].Resize(b)
		y += lineOf(a)
	}
}

// lineOf is a label's height without the room around it, as lines belong together.
func lineOf(label fyne.Size) float32 { return label.Height - 2*theme.InnerPadding() + theme.Padding() }
