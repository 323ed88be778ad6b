package method

import (
	"cmp"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/project"
	"easel/gui/speech"
	"easel/gui/terms"
	"easel/gui/widgets"
)

// settingRow is a setting with its value and a button that sets it back.
type settingRow struct {
	field
	object  fyne.CanvasObject
	project *project.Project
	entry   *widgets.Entry     // where there are no choices
	choice  *widget.Select     // where one of several is taken
	checks  *widget.CheckGroup // where some of several are
	reset   *widgets.Steady
	problem *widget.Label
	showing bool
}

func newSettingRow(f field, p *project.Project) *settingRow {
	r := &settingRow{field: f, project: p, problem: widgets.Quiet("")}
	r.problem.Importance = widget.DangerImportance
	r.problem.Hide()
	input := r.newInput()
	r.reset = widgets.NewSteady("", theme.ContentUndoIcon(), func() { r.take("") })
	r.reset.Importance = widget.LowImportance
	value := container.NewBorder(nil, nil, nil, r.reset, input)
	name := widget.NewLabelWithStyle(speech.Of(capital(f.title)), fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	name.Truncation = fyne.TextTruncateEllipsis
	r.object = container.New(settingLayout{}, terms.Explain(name, name.Text), value, container.NewVBox(widgets.Quiet(widgets.Sentence(speech.Of(f.help))), r.problem))
	return r
}

func (r *settingRow) newInput() fyne.CanvasObject {
	switch {
	case r.several:
		r.checks = widget.NewCheckGroup(r.choices, func(taken []string) { r.take(strings.Join(taken, listSeparator)) })
		return r.checks
	case len(r.choices) > 0:
		r.choice = widget.NewSelect(r.choices, r.take)
		return r.choice
	}
	r.entry = widgets.NewEntry(false)
	r.entry.OnChanged = r.take
	return r.entry
}

func capital(s string) string { return strings.TrimSuffix(widgets.Sentence(s), ".") }

// take puts what the user gave into the job, or says why not.
func (r *settingRow) take(text string) {
	if r.showing {
		return
	}
	job := r.project.Job()
	if err := r.set(&job, text); err != nil {
		r.problem.SetText(lang.L("This must be ") + lang.L(err.Error()) + ".")
		r.problem.Show()
		return
	}
	r.problem.Hide()
	r.project.Edit(func(j *engine.Job) { _ = r.set(j, text) })
}

func (r *settingRow) show(job engine.Job, suggested string) {
	r.showing = true
	defer func() { r.showing = false }()
	value := r.get(job)
	if suggested == "" || value != "" {
		suggested = r.usual
	}
	switch {
	case r.entry != nil:
		r.showText(value, suggested)
	case r.choice != nil:
		r.showChoice(value, suggested)
	default:
		r.checks.SetSelected(parts(cmp.Or(value, suggested)))
	}
	widgets.Show(r.reset, value != "")
}

func (r *settingRow) showText(value, suggested string) {
	if !r.problem.Visible() && !equal(r.entry.Text, value, r.field) {
		r.entry.SetText(value)
	}
	if r.entry.PlaceHolder != suggested {
		r.entry.SetPlaceHolder(suggested)
	}
}

func (r *settingRow) showChoice(value, suggested string) {
	if value != "" && slices.Contains(r.choices, value) {
		r.choice.SetSelected(value)
	} else if r.choice.Selected != "" {
		r.choice.ClearSelected()
	}
	if suggested != "" && r.choice.PlaceHolder != suggested {
		r.choice.PlaceHolder = suggested
		r.choice.Refresh()
	}
}

// equal says whether a text that is being typed means value already, as "0." or "1e-4" may.
func equal(typed, value string, f field) bool {
	var job engine.Job
	return typed == value || typed != "" && f.set(&job, typed) == nil && f.get(job) == value
}

// settingLayout lays name, value and help in a line.
type settingLayout struct{}

// Layout implements fyne.Layout.
func (settingLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	const wide = 196
	name := nameWidth() + 24
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(fyne.NewSize(name, o[0].MinSize().Height))
	o[1].Move(fyne.NewPos(name, 0))
	o[1].Resize(fyne.NewSize(wide, o[1].MinSize().Height))
	o[2].Move(fyne.NewPos(name+wide, 0))
	o[2].Resize(fyne.NewSize(max(size.Width-name-wide, 80), size.Height))
}

// MinSize implements fyne.Layout.
func (settingLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	height := float32(0)
	for _, object := range o {
		height = max(height, object.MinSize().Height)
	}
	return fyne.NewSize(nameWidth()+380, height)
}
