package settings

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/picker"
	"easel/gui/post"
	"easel/gui/project"
	"easel/gui/terms"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// Page is the Settings page.
type Page struct {
	project *project.Project
	eng     engine.Engine
	post    post.Func
	window  fyne.Window
	values  Values
	changed func(Values)
	report  *widget.Label
	library *library
	content fyne.CanvasObject
}

// New makes the page. changed hears of each change at once.
func New(p *project.Project, eng engine.Engine, post post.Func, window fyne.Window, values Values, changed func(Values)) *Page {
	page := &Page{project: p, eng: eng, post: post, window: window, values: values, changed: changed, report: widget.NewLabel("")}
	page.report.Wrapping = fyne.TextWrapWord
	page.library = newLibrary(p, eng, post)
	page.content = container.NewVScroll(container.New(layout.NewCustomPaddedVBoxLayout(theme.Normal),
		group(lang.L("This computer"), page.computer()),
		group(lang.L("Appearance"), page.appearance()),
		group(lang.L("Memory"), page.memory()),
		group(lang.L("While it trains"), page.training()),
		group(lang.L("Models"), page.library.object),
		group(lang.L("Folders"), page.folders()),
		group(lang.L("Something went wrong?"), page.reports()),
	))
	return page
}

// Content is what the page shows.
func (p *Page) Content() fyne.CanvasObject { return p.content }

// Shown is told when the page comes into sight: it looks for models then.
func (p *Page) Shown() { p.library.search(p.values.Projects) }

// Close ends what the page asks the engine.
func (p *Page) Close() { p.library.stop() }

// SetCaptioner has the model at a path write captions from now on; "" is the usual captioner.
func (p *Page) SetCaptioner(path string) { p.change(func(v *Values) { v.Captioner = path }) }

// group is a heading with what belongs to it.
func group(title string, content fyne.CanvasObject) fyne.CanvasObject {
	heading := widget.NewLabelWithStyle(title, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	heading.SizeName = fynetheme.SizeNameSubHeadingText
	return container.New(layout.NewCustomPaddedLayout(0, 0, theme.Normal, theme.Normal), container.NewVBox(heading, content))
}

func (p *Page) computer() fyne.CanvasObject {
	d := p.eng.Device()
	precision := lang.L("32-bit numbers")
	if d.BF16 {
		precision = lang.L("16-bit numbers, in hardware")
	}
	return rows(
		lang.L("Processor"), d.Name,
		lang.L("Computes with"), lang.N("{{.Count}} threads, {{.Backend}}", d.Threads, map[string]any{"Count": d.Threads, "Backend": d.Backend}),
		lang.L("Precision"), precision,
		lang.L("Memory"), gigabytes(d.Memory),
	)
}

// rows lays names and values out in two columns.
func rows(pairs ...string) fyne.CanvasObject {
	grid := container.New(layout.NewFormLayout())
	for i := 0; i+1 < len(pairs); i += 2 {
		value := widget.NewLabel(pairs[i+1])
		value.Wrapping = fyne.TextWrapWord
		name := widget.NewLabel(pairs[i])
		name.Importance = widget.LowImportance
		grid.Add(terms.Explain(name, pairs[i]))
		grid.Add(value)
	}
	return grid
}

// option is a choice: what it is called, and what it does to the values.
type option struct {
	name  string
	apply func(*Values)
}

// choice shows options in a row, of which one holds.
func (p *Page) choice(options []option, current int) fyne.CanvasObject {
	var names []string
	for _, o := range options {
		names = append(names, o.name)
	}
	radio := widget.NewRadioGroup(names, nil)
	radio.Required = true
	radio.Selected = names[current]
	radio.OnChanged = func(name string) {
		for _, o := range options {
			if o.name == name {
				p.change(o.apply)
			}
		}
	}
	return widgets.Across(radio)
}

func (p *Page) change(apply func(*Values)) {
	apply(&p.values)
	p.changed(p.values)
}

func (p *Page) appearance() fyne.CanvasObject {
	variants := []option{
		{lang.L("As the system"), func(v *Values) { v.Variant = theme.System }},
		{lang.L("Light"), func(v *Values) { v.Variant = theme.Light }},
		{lang.L("Dark"), func(v *Values) { v.Variant = theme.Dark }},
	}
	var scales []option
	current := 0
	for i, percent := range []int{100, 125, 150} {
		scale := float32(percent) / 100
		if p.values.Scale >= scale {
			current = i
		}
		scales = append(scales, option{fmt.Sprintf("%d %%", percent), func(v *Values) { v.Scale = scale }})
	}
	variant := min(max(int(p.values.Variant), 0), len(variants)-1)
	return container.New(layout.NewFormLayout(), widget.NewLabel(lang.L("Colours")), p.choice(variants, variant),
		widget.NewLabel(lang.L("Text size")), p.choice(scales, current))
}

func (p *Page) memory() fyne.CanvasObject {
	options := []option{{lang.L("What is free"), func(v *Values) { v.Memory = 0 }}}
	current := 0
	for _, gb := range []int64{4, 8, 16, 32} {
		if gb*1e9 > p.eng.Device().Memory {
			break
		}
		if p.values.Memory == gb*1e9 {
			current = len(options)
		}
		options = append(options, option{fmt.Sprintf("%d GB", gb), func(v *Values) { v.Memory = gb * 1e9 }})
	}
	why := widget.NewLabel(lang.L("A run plans itself to stay below this. With less it is slower, not worse."))
	why.Wrapping, why.Importance = fyne.TextWrapWord, widget.LowImportance
	return container.NewVBox(p.choice(options, current), why)
}

func (p *Page) folders() fyne.CanvasObject {
	where := widget.NewLabel(p.values.Projects)
	where.Truncation = fyne.TextTruncateEllipsis
	ask := picker.New(p.window, p.post)
	change := widget.NewButtonWithIcon(lang.L("Change"), theme.Icon("folder"), func() {
		ask.Ask(picker.Question{Title: lang.L("New projects"), Folder: true, Begin: p.values.Projects}, func(dirs []string) {
			where.SetText(dirs[0])
			p.change(func(v *Values) { v.Projects = dirs[0] })
		})
	})
	return container.NewBorder(nil, nil, widget.NewLabel(lang.L("New projects")), change, where)
}

func (p *Page) reports() fyne.CanvasObject {
	create := widget.NewButtonWithIcon(lang.L("Create report"), theme.Icon("report"), p.createReport)
	what := widget.NewLabel(lang.L("A text with versions, this computer, the settings of the project and what happened last. It holds no pictures and no captions, and you see it before anyone else."))
	what.Wrapping, what.Importance = fyne.TextWrapWord, widget.LowImportance
	return container.NewVBox(what, container.NewHBox(create), p.report)
}
