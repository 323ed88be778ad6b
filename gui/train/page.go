package train

import (
	"fmt"
	"log"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"

	"easel/engine"
	"easel/gui/post"
	"easel/gui/project"
	"easel/gui/speech"
	"easel/gui/widgets"
)

// refreshGap is how often the page changes while a run trains. Each change repaints the whole window.
const refreshGap = 350 * time.Millisecond

// Page is the Train page. It belongs to Fyne's goroutine.
type Page struct {
	runner  *runner
	project *project.Project
	window  fyne.Window
	methods map[string]engine.MethodInfo
	watch   watch
	from    int // the step that the run on began after

	content fyne.CanvasObject
	centre  *fyne.Container // the grid, a picture large, or a step from inside
	grid    *widgets.Grid
	empty   *widgets.Empty
	large   *widgets.Large
	inside  *inside
	banner  *banner
	side    *side
	buttons *buttons
}

// New makes the page and becomes the project's Runner.
func New(eng engine.Engine, p *project.Project, run post.Func, window fyne.Window) *Page {
	t := &Page{project: p, window: window, methods: map[string]engine.MethodInfo{}, watch: watching(engine.Run{})}
	for _, m := range speech.Methods(eng.Methods()) {
		t.methods[m.Name] = m
	}
	t.runner = &runner{eng: eng, project: p, post: run, began: t.began, planned: t.planned, heard: t.heard, ended: t.ended}
	t.grid = widgets.NewGrid(run)
	t.grid.Open, t.grid.Choose, t.grid.Reword = t.openPicture, t.choose, t.askPrompt
	t.empty = widgets.NewEmpty("train", "", "")
	t.large = widgets.NewLarge(run, lang.L("Drag the divider, or ← →.  Space: before or after.  ↑ ↓: other steps.  Esc: back."), t.showGrid)
	t.inside = newInside(run, t.nextStep, t.showGrid)
	t.banner = newBanner()
	t.side = newSide(t.addPrompt)
	t.buttons = newButtons(t)
	t.centre = container.NewStack()
	content := container.NewBorder(t.banner.object, nil, nil, container.NewBorder(nil, container.NewPadded(t.buttons.row), nil, nil, t.side.object), t.centre)
	t.content, t.banner.fit = content, content.Refresh
	p.Runner = t.runner
	p.Opened.Listen(func(p *project.Project) { t.runner.opened = p.Job() })
	p.RunChanged.Listen(func(run engine.Run) { t.show(run) })
	p.StateChanged.Listen(func(project.State) { t.refresh() })
	t.show(p.Run())
	return t
}

// Content is what the window shows.
func (t *Page) Content() fyne.CanvasObject { return t.content }

// show shows what is on disk.
func (t *Page) show(run engine.Run) {
	t.watch = watching(run)
	t.banner.hide()
	t.showGrid()
	if t.runner.cancel == nil && t.project.Interrupted() {
		t.banner.offer(run, t.runner.goOn, t.runner.begin)
	}
	t.refresh()
}

func (t *Page) began(run engine.Run) {
	t.watch, t.from = watching(run), run.Step
	t.watch.begin()
	t.banner.hide()
	t.showGrid()
	t.refresh()
}

// planned says what a run will take before it begins.
func (t *Page) planned(p engine.Preview) {
	t.watch.plan(p.Job)
	t.banner.plan(p, time.Now())
	t.refresh()
}

func (t *Page) heard(events []engine.Event) {
	seen := t.watch.view
	for _, e := range events {
		t.watch.apply(e)
		if e.Pause != nil && e.Pause.Paused && t.inside.open {
			t.runner.control.Look() // at the step that is now the next
		}
	}
	if v := t.watch.view; v != seen && v != nil {
		t.showInside(*v)
	}
	if t.watch.warning != "" {
		log.Println(t.watch.warning)
		t.banner.warn(t.watch.warning)
		t.watch.warning = ""
	}
	t.refresh()
}

// ended says how a run has ended. What it left is on disk, and shown by then.
func (t *Page) ended(result engine.Result, err error) {
	t.watch.doing = ""
	if err != nil {
		log.Println(err) // for reports
	}
	switch {
	case engine.KindOf(err) == engine.Cancelled: // show has offered to go on
	case engine.KindOf(err) == engine.NaN:
		t.banner.diverged(err, t.project.Run(), t.halveRate)
	case err != nil && t.project.Interrupted():
		actions := []action{{lang.L("Go on"), t.runner.goOn}, {lang.L("Start anew"), t.runner.begin}}
		if t.project.Run().Step <= t.from { // it could not go on
			slices.Reverse(actions)
		}
		t.banner.fail(err, actions...)
	case err != nil:
		t.banner.fail(err)
	case result.Summary.WeightChange == 0:
		t.banner.nothing()
	default:
		t.banner.done(result)
	}
	t.refresh()
}

// halveRate makes the project's job one that learns half as fast as its newest run.
func (t *Page) halveRate() {
	rate := t.project.Run().Job.Rate
	if rate == 0 {
		rate = t.watch.step.Rate
	}
	t.project.Edit(func(j *engine.Job) { j.Rate = rate / 2 })
	t.runner.begin()
}

// Close ends a run; it can go on from there.
func (t *Page) Close() { t.runner.close() }

// refresh shows the watch.
func (t *Page) refresh() {
	w := &t.watch
	t.grid.SetRows(w.columns, w.rows, w.chosen)
	t.side.show(w, t.project.State())
	t.buttons.refresh(t)
	sayEmpty(t.empty, t.project.State())
	if len(t.centre.Objects) == 0 || t.centre.Objects[0] == fyne.CanvasObject(t.empty) || t.centre.Objects[0] == fyne.CanvasObject(t.grid) {
		t.showGrid()
	}
}

func (t *Page) showGrid() {
	t.inside.open = false
	if len(t.watch.rows) == 0 {
		t.setCentre(t.empty)
		return
	}
	t.setCentre(t.grid)
}

func (t *Page) setCentre(o fyne.CanvasObject) {
	if len(t.centre.Objects) == 1 && t.centre.Objects[0] == o {
		return
	}
	t.centre.Objects = []fyne.CanvasObject{o}
	t.centre.Refresh()
}

// Escape goes back to the grid; false where that is what one sees.
func (t *Page) Escape() bool {
	if len(t.centre.Objects) == 0 || t.centre.Objects[0] != t.inside.object && t.centre.Objects[0] != t.large.Object() {
		return false
	}
	t.showGrid()
	return true
}

// openPicture shows a cell large beside its picture before training.
func (t *Page) openPicture(row, column int) {
	var rows []widgets.LargeRow
	for _, r := range t.watch.rows {
		rows = append(rows, widgets.LargeRow{Name: stepName(r.Step), Pictures: r.Pictures})
	}
	t.large.Show(t.watch.columns, rows, row, column)
	t.setCentre(t.large.Object())
	t.large.Focus(t.window.Canvas())
}

func stepName(step int) string {
	if step == 0 {
		return lang.L("before")
	}
	return fmt.Sprintf(lang.L("step %d"), step)
}

// choose makes the file that other programs load from a row.
func (t *Page) choose(row int) {
	if t.project.State() == project.Comparing { // the engine would do it after all of that
		t.banner.comparing()
		return
	}
	step := t.watch.rows[row].Step
	promote := func() {
		t.runner.promote(step, func(e engine.ExportEvent, err error) {
			if err != nil {
				t.banner.fail(err)
				return
			}
			t.banner.promoted(e)
		})
	}
	if t.runner.cancel == nil {
		promote()
		return
	}
	ask := dialog.NewConfirm(lang.L("Use this row"), lang.L("Training stops, and the file is made from this row. The run can go on later."), func(yes bool) {
		if yes {
			promote()
		}
	}, t.window)
	ask.SetConfirmText(lang.L("Stop and use it"))
	ask.SetDismissText(lang.L("Go on training"))
	ask.Show()
}

// lookInside pauses and shows the step at hand.
func (t *Page) lookInside() {
	if t.runner.control != nil {
		t.runner.control.Pause()
		t.runner.control.Look()
		t.inside.wait()
		t.setCentre(t.inside.object)
	}
}

func (t *Page) showInside(v engine.ViewEvent) {
	t.inside.show(v, t.methods[t.project.Job().Method])
	t.setCentre(t.inside.object)
}

// nextStep makes one step and looks again.
func (t *Page) nextStep() {
	if t.runner.control != nil {
		t.runner.control.Step()
	}
}

// sayEmpty tells before a start what to do, and after it what one waits for.
func sayEmpty(e *widgets.Empty, s project.State) {
	if s.Busy() && s != project.Comparing {
		e.Say(lang.L("The first row is on its way"),
			lang.L("Easel prepares the pictures, then paints each prompt with the model as it is, so that you see what it learns."))
		return
	}
	e.Say(lang.L("Nothing has been trained yet"),
		lang.L("When you press Start, pictures appear here: a column for each prompt, a row for each stage. The first row shows what the model paints now, so that you see what it learns."))
}
