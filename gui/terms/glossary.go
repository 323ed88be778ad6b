package terms

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/gui/theme"
	"easel/gui/widgets"
)

// NewButton opens the glossary in a window: there keys reach what the pointer finds on the pages.
func NewButton(window fyne.Window) fyne.CanvasObject {
	b := widget.NewButtonWithIcon(lang.L("Words"), fynetheme.QuestionIcon(), func() { ShowGlossary(window) })
	b.Importance = widget.LowImportance
	return b
}

// ShowGlossary lists all terms in a dialog, by the alphabet and searchable.
func ShowGlossary(window fyne.Window) {
	g := newGlossary()
	d := dialog.NewCustom(lang.L("Words of art"), lang.L("Close"), g.object, window)
	size := window.Canvas().Size()
	d.Resize(fyne.NewSize(min(640, size.Width-2*theme.Wide), min(620, size.Height-2*theme.Wide)))
	d.Show()
	window.Canvas().Focus(g.search)
}

// glossary is the dialog's content.
type glossary struct {
	object fyne.CanvasObject
	search *widgets.Entry
	terms  []Term
	rows   []fyne.CanvasObject
	list   *fyne.Container
}

func newGlossary() *glossary {
	g := &glossary{search: widgets.NewEntry(false), terms: All(), list: container.NewVBox()}
	slices.SortFunc(g.terms, func(a, b Term) int { return strings.Compare(strings.ToLower(a.Names[0]), strings.ToLower(b.Names[0])) })
	for _, t := range g.terms {
		name := widget.NewLabelWithStyle(t.Names[0], fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
		row := container.New(rowLayout{}, name, widgets.Wrapped(t.Text))
		g.rows = append(g.rows, row)
		g.list.Add(row)
	}
	g.search.SetPlaceHolder(lang.L("Search words"))
	g.search.OnChanged = g.filter
	keys := widgets.Quiet(lang.L("Keys: Ctrl+1 to Ctrl+5 show the pages, Tab goes on and Space presses, F1 shows these words, Escape closes."))
	g.object = container.NewBorder(g.search, keys, nil, nil, container.NewVScroll(g.list))
	return g
}

// filter shows the terms that have wanted in a name or in their text.
func (g *glossary) filter(wanted string) {
	wanted = strings.ToLower(strings.TrimSpace(wanted))
	for i, t := range g.terms {
		if strings.Contains(strings.ToLower(strings.Join(t.Names, "\n")+"\n"+t.Text), wanted) {
			g.rows[i].Show()
		} else {
			g.rows[i].Hide()
		}
	}
	g.list.Refresh()
}

// rowLayout lays a name above what it means, closer than two labels would be.
type rowLayout struct{}

// Layout implements fyne.Layout.
func (rowLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	name := o[0].MinSize().Height - theme.Near
	o[0].Resize(fyne.NewSize(size.Width, o[0].MinSize().Height))
	o[1].Move(fyne.NewPos(0, name))
	o[1].Resize(fyne.NewSize(size.Width, size.Height-name))
}

// MinSize implements fyne.Layout.
func (rowLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	a, b := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(max(a.Width, b.Width), a.Height+b.Height-theme.Near)
}
