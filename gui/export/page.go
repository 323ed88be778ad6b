package export

import (
	"fmt"
	"image"
	"net/url"
	"path/filepath"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/post"
	"easel/gui/project"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// Page is the Export page. It belongs to Fyne's goroutine.
type Page struct {
	project  *project.Project
	elements map[string]engine.Element // by method
	window   fyne.Window
	loader   *widgets.Loader

	content    *fyne.Container
	empty      fyne.CanvasObject
	full       fyne.CanvasObject
	name       *widget.Label
	where      *widget.Label
	pictures   [2]*canvas.Image
	likeness   *widget.Label
	usages     *fyne.Container
	playground *playground
	merge      *merge
}

// New makes the page.
func New(eng engine.Engine, p *project.Project, run post.Func, window fyne.Window) *Page {
	e := &Page{project: p, elements: map[string]engine.Element{}, window: window, loader: widgets.NewLoader(run, 512, 8),
		name: widgets.Heading(""), where: widgets.Wrapped(""), likeness: widgets.Quiet(""), usages: container.NewVBox()}
	for _, m := range eng.Methods() {
		e.elements[m.Name] = m.Element
	}
	e.playground = newPlayground(eng, p, run)
	e.merge = newMerge(eng, p, run, window)
	e.empty = emptyState()
	e.full = e.build()
	e.content = container.NewStack(e.empty)
	p.RunChanged.Listen(e.show)
	p.StateChanged.Listen(func(project.State) { e.playground.refresh(); e.merge.refresh() })
	e.show(p.Run())
	return e
}

// Content is what the window shows.
func (e *Page) Content() fyne.CanvasObject { return e.content }

// Close ends what the page asks the engine.
func (e *Page) Close() {
	e.playground.stop()
	e.merge.stop()
}

func (e *Page) build() fyne.CanvasObject {
	open := widgets.NewSteady(lang.L("Open folder"), fynetheme.FolderOpenIcon(), e.openFolder)
	open.Importance = widget.HighImportance
	copyPath := widgets.NewSteady(lang.L("Copy path"), fynetheme.ContentCopyIcon(), func() { copyText(e.project.Run().Export) })
	pictures := container.NewHBox()
	for i, text := range []string{lang.L("While training"), lang.L("Through the file")} {
		e.pictures[i] = &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScaleFastest}
		e.pictures[i].SetMinSize(fyne.NewSquareSize(176))
		label := widgets.Caption(text)
		label.Alignment = fyne.TextAlignCenter
		pictures.Add(container.NewVBox(e.pictures[i], label))
	}
	buttons := container.New(layout.NewCustomPaddedLayout(0, 0, fynetheme.InnerPadding(), 0), container.NewHBox(open, copyPath)) // where texts begin
	about := container.NewVBox(e.name, e.where, buttons, e.likeness)
	top := widgets.Card(container.NewBorder(nil, nil, nil, pictures, about))
	gap := func() fyne.CanvasObject { return container.NewGridWrap(fyne.NewSize(1, theme.Normal)) }
	column := container.NewVBox(top, gap(), widgets.Heading(lang.L("Try it here")), e.playground.object, gap(),
		widgets.Heading(lang.L("Use it elsewhere")), e.usages, gap(),
		widgets.Heading(lang.L("Merge it into the model")), e.merge.object)
	return container.NewVScroll(container.New(layout.NewCustomPaddedLayout(theme.Normal, theme.Wide, theme.Normal, theme.Normal), column))
}

// show shows what a run exported.
func (e *Page) show(run engine.Run) {
	if run.Export == "" {
		e.setContent(e.empty)
		return
	}
	e.setContent(e.full)
	x := run.Exported
	e.name.SetText(filepath.Base(run.Export))
	where := fmt.Sprintf(lang.L("In %s."), filepath.Dir(run.Export))
	if x.Size > 0 {
		where += fmt.Sprintf(lang.L(" %.1f MB, what was learned by step %d."), float64(x.Size)/1e6, x.Step)
	}
	e.where.SetText(where)
	e.likeness.SetText("")
	if x.Through != "" && x.Trained != "" {
		e.likeness.SetText(fmt.Sprintf(lang.L("The file was opened again as another program would, and painted with: its picture differs from the one painted while training by %s %%."), hundredths(100*x.Difference)))
	}
	for i, path := range []string{x.Trained, x.Through} {
		e.showPicture(e.pictures[i], path, x)
	}
	e.showUsages(usagesOf(run, e.elements[run.Job.Method]))
	e.playground.open(run)
	e.merge.open(run)
}

// hundredths writes a number with two places, none of which is nothing.
func hundredths(v float64) string {
	if v > 0 && v < 0.005 {
		return lang.L("less than 0.01")
	}
	return fmt.Sprintf("%.2f", v)
}

func (e *Page) showPicture(shown *canvas.Image, path string, of engine.ExportEvent) {
	shown.Image = nil
	shown.Refresh()
	if path == "" {
		return
	}
	e.loader.Load(path, func(p image.Image, err error) {
		if err == nil && e.project.Run().Exported == of {
			shown.Image = p
			shown.Refresh()
		}
	})
}

func (e *Page) showUsages(all []usage) {
	e.usages.RemoveAll()
	for _, u := range all {
		text := u.how
		if u.folder != "" {
			text = fmt.Sprintf(lang.L("Put the file into %s."), u.folder) + " " + u.how
		}
		paste := widget.NewLabelWithStyle(u.paste, fyne.TextAlignLeading, fyne.TextStyle{Monospace: true})
		paste.Wrapping = fyne.TextWrapBreak
		paste.Selectable = true
		button := widgets.NewSteady(lang.L("Copy"), fynetheme.ContentCopyIcon(), func() { copyText(u.paste) })
		title := widget.NewLabelWithStyle(u.program, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
		e.usages.Add(widgets.Card(container.NewVBox(title, widgets.Wrapped(text), container.NewBorder(nil, nil, nil, container.NewVBox(button), paste))))
	}
}

func (e *Page) setContent(o fyne.CanvasObject) {
	if e.content.Objects[0] != o {
		e.content.Objects = []fyne.CanvasObject{o}
		e.content.Refresh()
	}
}

func (e *Page) openFolder() {
	_ = fyne.CurrentApp().OpenURL(&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Dir(e.project.Run().Export))})
}

func copyText(text string) { fyne.CurrentApp().Clipboard().SetContent(text) }

// emptyState says what will be here.
func emptyState() fyne.CanvasObject {
	return widgets.NewEmpty("export", lang.L("No file yet"), lang.L("When training is done, the file is written by itself, opened again to be sure, and shown here with how to use it. While training, “Use this” on the Train page makes it from any row."))
}
