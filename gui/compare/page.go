package compare

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/post"
	"easel/gui/project"
	"easel/gui/speech"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// Folder is the name of the folder in a project's folder in which methods are compared; of later comparisons it ends in
// -2, -3 and so on, so that none replaces what another found.
const Folder = "compare"

// Page is the page that compares methods. It belongs to Fyne's goroutine.
type Page struct {
	eng     engine.Engine
	project *project.Project
	post    post.Func
	window  fyne.Window
	titles  map[string]string // of methods, by name
	runner  *runner
	prices  *prices
	watch   watch
	number  int  // of the comparison that is shown, from 1
	reads   int  // counts what load began, so that an old answer is known as such
	next    int  // the first number that later comparisons can have; 0 until what there is has been read
	anew    bool // another comparison is set up, beside what there is
	seen    bool // the page is in sight

	content  *fyne.Container
	top      *fyne.Container
	intro    *widget.Label
	main     *widget.Button // starts, and stops
	progress *widget.ProgressBar
	doing    *widget.Label
	note     *widget.Label // what went wrong
	setup    *setup
	offer    *offer
	grid     *grid
	figures  *fyne.Container
	files    *fyne.Container // buttons for what was written
	scroll   *container.Scroll
	centre   *fyne.Container // the scroll, or a picture large
	large    *widgets.Large
	opened   [2]int // cell that is shown large
}

// New makes the page, hidden, and becomes the project's Comparer. back leads to where one came from.
func New(eng engine.Engine, p *project.Project, run post.Func, window fyne.Window, back func()) *Page {
	c := &Page{eng: eng, project: p, post: run, window: window, titles: map[string]string{}, progress: widget.NewProgressBar(),
		doing: widgets.Quiet(""), note: widgets.Wrapped(""), figures: container.NewStack()}
	methods := speech.Methods(eng.Methods())
	for _, m := range methods {
		c.titles[m.Name] = m.Title
	}
	c.runner = &runner{eng: eng, project: p, post: run, heard: c.heard, ended: c.ended}
	c.prices = &prices{eng: eng, post: run, changed: c.refresh}
	c.setup = newSetup(methods, c.refresh)
	c.offer = newOffer(c.goOn)
	c.grid = newGrid(run, c.openPicture, c.reveal)
	c.large = widgets.NewLarge(run, lang.L("Drag the divider, or ← →.  Space: before or after.  ↑ ↓: other methods.  Page ↑ ↓: other prompts.  Esc: back."), c.closePicture)
	c.build(back)
	c.content.Hide()
	p.Comparer = c.runner
	p.Opened.Listen(func(*project.Project) { c.left() })
	p.Edited.Listen(func(engine.Job) { c.refresh() })
	p.PicturesChanged.Listen(func(int) { c.refresh() })
	p.StateChanged.Listen(func(s project.State) {
		if s.Busy() {
			c.prices.stop()
		}
		c.refresh()
	})
	return c
}

func (c *Page) build(back func()) {
	c.main = widget.NewButtonWithIcon("", nil, c.press)
	c.main.Importance = widget.HighImportance
	title := widgets.Heading(lang.L("Methods side by side"))
	title.Truncation = fyne.TextTruncateEllipsis
	head := container.NewBorder(nil, nil, widget.NewButtonWithIcon(lang.L("Back"), fynetheme.NavigateBackIcon(), back), c.main, title)
	c.note.Importance = widget.DangerImportance
	c.top = container.NewVBox(head, c.progress, c.doing, c.note)
	openPage := widgets.NewSteady(lang.L("Open the page"), fynetheme.DocumentIcon(), func() { openFile(c.watch.comparison.Page) })
	openFolder := widgets.NewSteady(lang.L("Open folder"), fynetheme.FolderOpenIcon(), func() { openFile(filepath.Dir(c.watch.comparison.Page)) })
	c.files = container.NewVBox(widgets.Quiet(lang.L("All this is also on one page for the web browser, which holds its pictures: you can send it to somebody.")),
		container.NewHBox(openPage, openFolder))
	c.intro = widgets.Quiet(lang.L("Each method learns from your pictures, beginning from the same model, and paints the same prompts with the same noise: what differs is the method. Each has the settings that suit it; those of the Method page do not count here."))
	column := container.New(layout.NewCustomPaddedVBoxLayout(theme.Near), c.intro, c.offer.object, c.setup.object, c.grid.object, c.figures, c.files)
	c.scroll = container.NewVScroll(container.New(layout.NewCustomPaddedLayout(0, theme.Wide, 0, theme.Near), column))
	c.centre = container.NewStack(c.scroll)
	c.content = container.New(layout.NewCustomPaddedLayout(theme.Near, 0, theme.Normal, theme.Near), container.NewBorder(c.top, nil, nil, nil, c.centre))
}

// Content is what the window shows.
func (c *Page) Content() fyne.CanvasObject { return c.content }

// Open shows the page with what was compared before.
func (c *Page) Open() {
	c.content.Show()
	c.seen = true
	c.refresh()
	c.content.Refresh()
	if !c.watch.running && c.watch.none() {
		c.load(true)
	}
}

// Shown is for when the page comes into sight again, Hidden for when it leaves it: what methods cost is measured for eyes only.
func (c *Page) Shown() {
	c.seen = true
	c.refresh()
}

func (c *Page) Hidden() {
	c.seen = false
	c.prices.stop()
}

// Close ends what the page asks the engine, a comparison too.
func (c *Page) Close() {
	c.prices.stop()
	c.runner.leave()
}

// left forgets the project that was open before.
func (c *Page) left() {
	c.runner.leave()
	c.prices.stop()
	c.watch, c.anew, c.number, c.next = watch{}, false, 1, 0
	c.note.SetText("")
	c.figures.RemoveAll()
	c.showGrid()
	if c.content.Visible() {
		c.load(true)
	}
	c.refresh()
}

// folder is where the methods of the open project are compared.
func (c *Page) folder() string { return folderOf(c.project.Dir(), c.number) }

func folderOf(project string, number int) string {
	if number < 2 {
		return filepath.Join(project, Folder)
	}
	return filepath.Join(project, fmt.Sprintf("%s-%d", Folder, number))
}

// newest is the number of a project's last comparison, 0 where there is none. Earlier ones may have been thrown away. Any
// goroutine may ask.
func newest(project string) (n int) {
	entries, _ := os.ReadDir(project) // a project that cannot be read is told of by what opens the comparison
	for _, e := range entries {
		number, err := strconv.Atoi(strings.TrimPrefix(e.Name(), Folder+"-"))
		if e.Name() == Folder {
			number, err = 1, nil
		}
		if err == nil && e.Name() == filepath.Base(folderOf(project, number)) {
			n = max(n, number)
		}
	}
	return n
}

// load reads what was compared; with ask it is also what is asked for next. Until it has, no comparison begins: it might
// take the folder of another.
func (c *Page) load(ask bool) {
	if c.project.Dir() == "" {
		return
	}
	c.next = 0
	c.reads++
	read := c.reads
	project := c.project.Dir()
	go func() { // off Fyne's goroutine until post
		last := newest(project)
		number := max(last, 1)
		comparison, err := c.eng.OpenComparison(context.Background(), folderOf(project, number))
		c.post(func() {
			if read != c.reads || project != c.project.Dir() || c.watch.running {
				return
			}
			c.number, c.next = number, last+1
			if err == nil {
				c.watch.comparison = comparison
				if ask {
					c.setup.take(comparison.Request)
				}
				c.measured()
			} else if engine.KindOf(err) != engine.NotFound {
				c.fail(err)
			}
			c.refresh()
		})
	}()
}

// job is what all methods are given.
func (c *Page) job() engine.Job {
	j := c.project.Job()
	return engine.Job{Model: j.Model, VAE: j.VAE, Prediction: j.Prediction, Images: j.Images, Word: j.Word, Class: j.Class, Goal: j.Goal,
		Seed: j.Seed, Resolution: j.Resolution, Prompts: j.Prompts, SampleSteps: j.SampleSteps, Guidance: j.Guidance,
		DType: j.DType, Memory: j.Memory, Out: c.folder()}
}

// press is the main button's: it starts, stops, or sets up another comparison.
func (c *Page) press() {
	switch {
	case c.watch.running:
		c.runner.Stop()
	case c.settingUp():
		c.number = c.next
		c.begin(watch{}, engine.CompareRequest{Job: c.job(), Methods: c.setup.chosen(), Seconds: c.setup.seconds()})
	default:
		c.anew = true
		c.refresh()
		c.scroll.ScrollToTop()
	}
}

// goOn takes up the comparison that was interrupted.
func (c *Page) goOn() {
	c.begin(c.watch, engine.CompareRequest{Job: engine.Job{Out: c.folder(), Images: c.project.Images(), Resume: true}})
}

// begin starts a comparison, from what is known.
func (c *Page) begin(from watch, request engine.CompareRequest) {
	if !c.runner.free() {
		return
	}
	c.watch, c.anew = from, false
	c.watch.running, c.watch.doing, c.watch.warning = true, lang.L("preparing"), ""
	c.note.SetText("")
	c.measured()
	c.runner.start(request)
	c.scroll.ScrollToTop()
}

func (c *Page) heard(events []engine.Event) {
	for _, e := range events {
		c.watch.apply(e)
		if e.Compare != nil {
			c.measured()
		}
	}
	c.refresh()
}

func (c *Page) ended(err error) {
	c.watch.running = false
	if err != nil && engine.KindOf(err) != engine.Cancelled {
		c.fail(err)
	}
	c.load(false)
	c.refresh()
}

func (c *Page) fail(err error) { c.note.SetText(speech.Error(err)) }

// measured shows the figures of the methods that have had their turn.
func (c *Page) measured() {
	c.figures.RemoveAll()
	if slices.ContainsFunc(c.watch.comparison.Rows, func(r engine.Compared) bool { return r.Problem == "" }) {
		c.figures.Objects = []fyne.CanvasObject{tableOf(c.watch.comparison)}
	}
	c.content.Refresh()
}

// settingUp tells whether the page asks what to compare.
func (c *Page) settingUp() bool { return !c.watch.running && (c.watch.none() || c.anew) }

// refresh shows the watch.
func (c *Page) refresh() {
	if !c.seen {
		return
	}
	w := &c.watch
	missing, state := c.project.Missing(), c.project.State()
	if c.settingUp() && missing == "" && !state.Busy() && c.runner.cancel == nil {
		c.prices.ask(c.job(), c.project.Pictures(), c.setup.methods)
	}
	c.setup.show(c.prices.known, missing)
	c.showMain(missing, state)
	c.progress.SetValue(w.progress())
	widgets.SetText(c.doing, c.does())
	c.grid.show(w.comparison.Columns, w.lines(c.titles))
	c.offer.show(w, c.titles, c.runner.free())
	c.showParts()
}

// showParts shows what there is something to say in, and hides the rest.
func (c *Page) showParts() {
	w, changed := &c.watch, false
	for _, part := range []struct {
		object fyne.CanvasObject
		on     bool
	}{
		{c.progress, w.running},
		{c.doing, w.running || w.warning != ""},
		{c.note, c.note.Text != ""},
		{c.intro, c.settingUp() || len(w.comparison.Columns) == 0},
		{c.offer.object, w.interrupted()},
		{c.setup.object, c.settingUp()},
		{c.grid.object, len(w.comparison.Columns) > 0},
		{c.files, w.comparison.Page != "" && !w.running},
	} {
		changed = widgets.Show(part.object, part.on) || changed
	}
	if changed {
		c.content.Refresh()
	}
}

// does says what happens at the moment.
func (c *Page) does() string {
	w := &c.watch
	switch turn := c.titles[w.comparison.Turn]; {
	case !w.running:
		return w.warning
	case c.project.State() == project.Stopping:
		return lang.L("Stopping: what is trained is being saved")
	case turn != "":
		return fmt.Sprintf(lang.L("%s, %d of %d: %s"), turn, len(w.comparison.Rows)+1, len(w.comparison.Request.Methods), w.doing)
	}
	return lang.L("Preparing")
}

func (c *Page) showMain(missing string, state project.State) {
	icon, text, enabled := "start", lang.L("Compare anew"), !state.Busy()
	switch {
	case c.watch.running:
		icon, text, enabled = "stop", lang.L("Stop"), state == project.Comparing
	case c.settingUp():
		text, enabled = lang.L("Start comparing"), c.next > 0 && c.runner.free() && c.setup.problem(missing) == ""
	}
	on := fynetheme.ColorNameForegroundOnPrimary
	if c.main.Enable(); !enabled {
		c.main.Disable()
		on = fynetheme.ColorNameDisabled
	}
	c.main.SetIcon(theme.ColoredIcon(icon, on))
	c.main.SetText(text)
}

// openPicture shows a cell large, over its picture before training.
func (c *Page) openPicture(row, column int) {
	var rows []widgets.LargeRow
	for _, l := range c.watch.lines(c.titles) {
		rows = append(rows, widgets.LargeRow{Name: l.title, Pictures: l.pictures})
	}
	c.opened = [2]int{row, column}
	c.large.Show(c.watch.comparison.Columns, rows, row, column)
	c.top.Hide()
	c.setCentre(c.large.Object())
	c.large.Focus(c.window.Canvas())
}

func (c *Page) closePicture() {
	c.showGrid()
	c.grid.focus(c.opened[0], c.opened[1])
}

func (c *Page) showGrid() {
	c.top.Show()
	c.setCentre(c.scroll)
}

func (c *Page) setCentre(o fyne.CanvasObject) {
	c.centre.Objects = []fyne.CanvasObject{o}
	c.centre.Refresh()
}

// reveal scrolls to a cell of the grid.
func (c *Page) reveal(cell fyne.CanvasObject) {
	top := c.grid.object.Position().Y + cell.Position().Y
	view := c.scroll.Offset
	switch bottom := top + cell.Size().Height; {
	case top < view.Y:
		view.Y = top
	case bottom > view.Y+c.scroll.Size().Height:
		view.Y = bottom - c.scroll.Size().Height
	default:
		return
	}
	c.scroll.ScrollToOffset(view)
}

func openFile(path string) {
	_ = fyne.CurrentApp().OpenURL(&url.URL{Scheme: "file", Path: filepath.ToSlash(path)})
}
