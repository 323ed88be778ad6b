package method

import (
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

// drawer holds all settings, searchable, for who wants them.
type drawer struct {
	object  fyne.CanvasObject
	project *project.Project
	toggle  *widgets.Steady
	inner   *fyne.Container
	rows    *fyne.Container
	search  *widgets.Entry
	info    engine.MethodInfo // whose settings are shown
	method  string            // of the rows
	groups  []*settingGroup   // made when the drawer is open: they are many, and take time
	values  map[string]string // what the engine would take, by name
}

func newDrawer(p *project.Project) *drawer {
	d := &drawer{project: p, rows: container.NewVBox(), search: widgets.NewEntry(false), values: map[string]string{}}
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
		d.show(d.project.Job(), d.info)
	}
}

// show shows a job's values, if the drawer is open; another method has other rows.
func (d *drawer) show(job engine.Job, info engine.MethodInfo) {
	d.info = info
	if !d.inner.Visible() {
		return
	}
	if d.method != info.Name || d.groups == nil {
		d.method = info.Name
		d.groups = nil
		d.rows.RemoveAll()
		for _, g := range groupsOf(info) {
			shown := newSettingGroup(g, d.project)
			d.groups = append(d.groups, shown)
			d.rows.Add(shown.object)
		}
		d.filter()
	}
	d.refresh(job)
}

// refresh shows a job's values in all rows.
func (d *drawer) refresh(job engine.Job) {
	for _, g := range d.groups {
		for _, row := range g.rows {
			row.show(job, d.values[row.name])
		}
	}
}

// explain shows beside empty fields what the engine would take.
func (d *drawer) explain(p engine.Preview) {
	d.values = map[string]string{}
	for _, c := range p.Choices {
		d.values[c.Name] = c.Value
	}
	d.show(d.project.Job(), d.info)
}

// filter shows the rows that have what is searched for in their name or help.
func (d *drawer) filter() {
	wanted := strings.ToLower(strings.TrimSpace(d.search.Text))
	for _, g := range d.groups {
		g.filter(wanted)
	}
	d.rows.Refresh()
}

// settingGroup is settings that belong together, below their heading.
type settingGroup struct {
	object *fyne.Container
	rows   []*settingRow
}

func newSettingGroup(g group, p *project.Project) *settingGroup {
	heading := widget.NewLabelWithStyle(speech.Of(g.title), fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	heading.SizeName = theme.SizeNameSubHeadingText
	shown := &settingGroup{object: container.NewVBox(terms.Explain(heading, heading.Text))}
	for _, f := range g.fields {
		row := newSettingRow(f, p)
		shown.rows = append(shown.rows, row)
		shown.object.Add(row.object)
	}
	return shown
}

// filter shows the rows that have wanted in their name or help, and the heading where one does.
func (g *settingGroup) filter(wanted string) {
	g.object.Hide()
	for _, row := range g.rows {
		if strings.Contains(strings.ToLower(strings.Join([]string{row.title, row.name, row.help, speech.Of(capital(row.title)), speech.Of(row.help)}, " ")), wanted) {
			row.object.Show()
			g.object.Show()
		} else {
			row.object.Hide()
		}
	}
}
