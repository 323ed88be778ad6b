package method

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/project"
	"easel/gui/widgets"
)

// drawer holds all settings, searchable, for who wants them.
type drawer struct {
	object  fyne.CanvasObject
	project *project.Project
	toggle  *widgets.Steady
	inner   *fyne.Container
	rows    *fyne.Container
	search  *widget.Entry
	method  string // of the rows
	fields  []*settingRow
	values  map[string]string // what the engine would take, by name
}

func newDrawer(p *project.Project) *drawer {
	d := &drawer{project: p, rows: container.NewVBox(), search: widget.NewEntry(), values: map[string]string{}}
	d.search.SetPlaceHolder(lang.L("Search settings"))
	d.search.OnChanged = func(string) { d.filter() }
	d.inner = container.NewVBox(widgets.Quiet(lang.L("An empty field means: as Easel suggests. What you set here counts.")), d.search, d.rows)
	d.inner.Hide()
	d.toggle = widgets.NewSteady(lang.L("All settings"), theme.MenuDropDownIcon(), d.open)
	d.object = container.NewVBox(container.NewHBox(d.toggle), d.inner)
	return d
}

// open opens or closes the drawer.
func (d *drawer) open() {
	if d.inner.Visible() {
		d.inner.Hide()
		d.toggle.SetIcon(theme.MenuDropDownIcon())
	} else {
		d.inner.Show()
		d.toggle.SetIcon(theme.MenuDropUpIcon())
	}
}

// show shows a job's values; another method has other rows.
func (d *drawer) show(job engine.Job, info engine.MethodInfo) {
	if d.method != info.Name || d.fields == nil {
		d.method = info.Name
		d.fields = nil
		d.rows.RemoveAll()
		for _, f := range fieldsOf(info) {
			row := newSettingRow(f, d.project)
			d.fields = append(d.fields, row)
			d.rows.Add(row.object)
		}
		d.filter()
	}
	for _, row := range d.fields {
		row.show(job, d.values[row.name])
	}
}

// explain shows beside empty fields what the engine would take.
func (d *drawer) explain(p engine.Preview) {
	d.values = map[string]string{}
	for _, c := range p.Choices {
		d.values[c.Name] = c.Value
	}
	for _, row := range d.fields {
		row.show(d.project.Job(), d.values[row.name])
	}
}

// filter shows the rows that have what is searched for in their name or help.
func (d *drawer) filter() {
	wanted := strings.ToLower(strings.TrimSpace(d.search.Text))
	for _, row := range d.fields {
		if strings.Contains(strings.ToLower(row.title+" "+row.name+" "+row.help), wanted) {
			row.object.Show()
		} else {
			row.object.Hide()
		}
	}
	d.rows.Refresh()
}

// settingRow is a setting with its value and a button that sets it back.
type settingRow struct {
	field
	object  fyne.CanvasObject
	project *project.Project
	entry   *widget.Entry  // nil where there are choices
	choice  *widget.Select // nil where there are none
	reset   *widgets.Steady
	problem *widget.Label
	showing bool
}

func newSettingRow(f field, p *project.Project) *settingRow {
	r := &settingRow{field: f, project: p, problem: widgets.Quiet("")}
	r.problem.Importance = widget.DangerImportance
	r.problem.Hide()
	var input fyne.CanvasObject
	if len(f.choices) > 0 {
		r.choice = widget.NewSelect(f.choices, r.take)
		input = r.choice
	} else {
		r.entry = widget.NewEntry()
		r.entry.OnChanged = r.take
		input = r.entry
	}
	r.reset = widgets.NewSteady("", theme.ContentUndoIcon(), func() { r.take("") })
	r.reset.Importance = widget.LowImportance
	value := container.NewBorder(nil, nil, nil, r.reset, input)
	name := widget.NewLabelWithStyle(lang.L(capital(f.title)), fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	name.Truncation = fyne.TextTruncateEllipsis
	r.object = container.New(settingLayout{}, name, value, container.NewVBox(widgets.Quiet(sentence(lang.L(f.help))), r.problem))
	return r
}

func capital(s string) string { return strings.TrimSuffix(sentence(s), ".") }

// take puts what the user gave into the job, or says why not.
func (r *settingRow) take(text string) {
	if r.showing {
		return
	}
	job := r.project.Job()
	if err := r.set(&job, text); err != nil {
		r.problem.SetText(lang.L("This must be ") + err.Error() + ".")
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
	if r.entry != nil {
		if !r.problem.Visible() && !equal(r.entry.Text, value, r.field) {
			r.entry.SetText(value)
		}
		if r.entry.PlaceHolder != suggested {
			r.entry.SetPlaceHolder(suggested)
		}
	} else {
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
	if r.reset.Show(); value == "" {
		r.reset.Hide()
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
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(fyne.NewSize(nameWidth+24, o[0].MinSize().Height))
	o[1].Move(fyne.NewPos(nameWidth+24, 0))
	o[1].Resize(fyne.NewSize(wide, o[1].MinSize().Height))
	o[2].Move(fyne.NewPos(nameWidth+24+wide, 0))
	o[2].Resize(fyne.NewSize(max(size.Width-nameWidth-24-wide, 80), size.Height))
}

// MinSize implements fyne.Layout.
func (settingLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	height := float32(0)
	for _, object := range o {
		height = max(height, object.MinSize().Height)
	}
	return fyne.NewSize(nameWidth+380, height)
}
