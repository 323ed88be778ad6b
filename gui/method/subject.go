package method

import (
	"fmt"
	"path/filepath"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/picker"
	"easel/gui/project"
	"easel/gui/terms"
	"easel/gui/widgets"
)

// goals are what can be taught, by Job.Goal, with what the class noun could be.
var goals = []struct{ name, title, example string }{
	{"person", "A person", "woman"},
	{"animal", "An animal", "dog"},
	{"object", "A thing", "monster toy"},
	{"style", "A style", "oil painting"},
	{"trying", "Just trying", "toy"},
}

// subject asks what is taught.
type subject struct {
	object      fyne.CanvasObject
	project     *project.Project
	picker      *picker.Picker
	goal        *widget.RadioGroup
	word, class *widgets.Entry
	model       *widget.Select
	showing     bool // the page fills the fields: no edit
}

func newSubject(p *project.Project, ask *picker.Picker) *subject {
	s := &subject{project: p, picker: ask, word: widgets.NewEntry(false), class: widgets.NewEntry(false)}
	var titles []string
	for _, g := range goals {
		titles = append(titles, lang.L(g.title))
	}
	s.goal = widget.NewRadioGroup(titles, func(title string) {
		s.edit(func(j *engine.Job) { j.Goal = goals[max(slices.Index(titles, title), 0)].name })
	})
	s.goal.Required = true
	s.word.SetPlaceHolder(fmt.Sprintf(lang.L("for example %s"), "zorbit"))
	s.word.OnChanged = func(text string) { s.edit(func(j *engine.Job) { j.Word = text }) }
	s.class.OnChanged = func(text string) { s.edit(func(j *engine.Job) { j.Class = text }) }
	s.model = widget.NewSelect(nil, s.pickModel)
	field := func(name, help string, o fyne.CanvasObject) []fyne.CanvasObject {
		label := widget.NewLabelWithStyle(name, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
		return []fyne.CanvasObject{container.NewVBox(terms.Explain(label, name)), container.NewVBox(o, widgets.Quiet(help))}
	}
	var rows []fyne.CanvasObject
	rows = append(rows, field(lang.L("What is it?"), lang.L("How long and how strongly to train follows from this."), widgets.Across(s.goal))...)
	rows = append(rows, field(lang.L("Its word"), lang.L("A word that means nothing yet. In a prompt it will call your subject."), s.word)...)
	rows = append(rows, field(lang.L("What kind"), lang.L("What the model should begin from, in a word or two that it knows."), s.class)...)
	rows = append(rows, field(lang.L("Base model"), lang.L("The built-in model is small, for trying. Stable Diffusion 1.x and 2.x files teach in earnest: .safetensors, .ckpt or a diffusers folder."), s.model)...)
	s.object = container.New(formLayout{}, rows...)
	return s
}

// edit changes the job where the user did something.
func (s *subject) edit(change func(*engine.Job)) {
	if !s.showing {
		s.project.Edit(change)
	}
}

func (s *subject) show(job engine.Job) {
	s.showing = true
	defer func() { s.showing = false }()
	for _, g := range goals {
		if g.name == job.Goal || job.Goal == "" && g.name == "object" {
			s.goal.SetSelected(lang.L(g.title))
			s.class.SetPlaceHolder(fmt.Sprintf(lang.L("for example %s"), g.example)) // in English, which the models read
		}
	}
	setEntry(s.word, job.Word)
	setEntry(s.class, job.Class)
	s.showModel(job.Model)
}

// setEntry keeps the cursor and the history where the text is the same.
func setEntry(e *widgets.Entry, text string) {
	if e.Text != text {
		e.SetText(text)
	}
}

const builtin = "builtin"

func modelTitle(model string) string {
	if model == builtin || model == "" {
		return lang.L("Built in, for trying")
	}
	return filepath.Base(model)
}

func (s *subject) showModel(model string) {
	options := []string{modelTitle(builtin)}
	if title := modelTitle(model); title != options[0] {
		options = append(options, title)
	}
	s.model.Options = append(options, lang.L("Choose a file …"), lang.L("Choose a folder …"))
	s.model.Selected = modelTitle(model)
	s.model.Refresh()
}

func (s *subject) pickModel(title string) {
	switch title {
	case modelTitle(builtin):
		s.edit(func(j *engine.Job) { j.Model = builtin })
	case lang.L("Choose a file …"):
		s.picker.Ask(picker.Question{Title: lang.L("Base model"), Kind: lang.L("Models"), Extensions: []string{".safetensors", ".ckpt", ".bin", ".pt", ".pth"}}, s.setModel)
	case lang.L("Choose a folder …"):
		s.picker.Ask(picker.Question{Title: lang.L("Base model"), Folder: true}, s.setModel)
	}
	s.showModel(s.project.Job().Model)
}

func (s *subject) setModel(paths []string) { s.edit(func(j *engine.Job) { j.Model = paths[0] }) }

// formLayout lays names at the left of fields, each as high as it needs.
type formLayout struct{}

// nameWidth has room for names of fields.
func nameWidth() float32 { return 132 * widgets.TextScale() }

// Layout implements fyne.Layout.
func (formLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := float32(0)
	for i := 0; i+1 < len(objects); i += 2 {
		objects[i+1].Resize(fyne.NewSize(min(size.Width-nameWidth(), 640), objects[i+1].Size().Height))
		height := max(objects[i].MinSize().Height, objects[i+1].MinSize().Height)
		objects[i].Move(fyne.NewPos(0, y))
		objects[i].Resize(fyne.NewSize(nameWidth(), height))
		objects[i+1].Move(fyne.NewPos(nameWidth(), y))
		objects[i+1].Resize(fyne.NewSize(min(size.Width-nameWidth(), 640), height))
		y += height + theme.Padding()
	}
}

// MinSize implements fyne.Layout.
func (formLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(nameWidth()+200, 0)
	for i := 0; i+1 < len(objects); i += 2 {
		size.Height += max(objects[i].MinSize().Height, objects[i+1].MinSize().Height) + theme.Padding()
	}
	return size
}
