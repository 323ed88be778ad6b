package method

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	fynetheme "fyne.io/fyne/v2/theme"

	"easel/engine"
	"easel/gui/picker"
	"easel/gui/post"
	"easel/gui/project"
	"easel/gui/speech"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// thinkTime is how long the page waits after an edit before it asks the engine what follows.
const thinkTime = 700 * time.Millisecond

// Page is the Method page. It belongs to Fyne's goroutine.
type Page struct {
	// Compare is called when the user wants to see the methods side by side.
	Compare func()

	eng     engine.Engine
	project *project.Project
	post    post.Func
	methods []engine.MethodInfo

	content fyne.CanvasObject
	cards   []*card
	subject *subject
	choices *choices
	drawer  *drawer

	stale   bool               // something has changed since the newest question
	unseen  bool               // another page is shown
	timer   *time.Timer        // until the next question
	asking  context.CancelFunc // of the newest question; nil where there is none
	number  int                // of the newest question
	costsOf string             // model whose costs are shown or asked for
}

// New makes the page.
func New(eng engine.Engine, p *project.Project, run post.Func, window fyne.Window) *Page {
	m := &Page{eng: eng, project: p, post: run, methods: speech.Methods(eng.Methods())}
	cards := container.New(cardLayout{})
	for _, info := range m.methods {
		c := newCard(info, run, func() { m.choose(info) })
		m.cards = append(m.cards, c)
		cards.Add(c)
	}
	m.subject = newSubject(p, picker.New(window, run))
	m.choices = newChoices()
	m.drawer = newDrawer(p)
	gap := func() fyne.CanvasObject { return container.NewGridWrap(fyne.NewSize(1, theme.Normal)) }
	column := container.NewVBox(widgets.Heading(lang.L("What shall the model learn?")), m.subject.object, gap(), // first, as a start needs it
		widgets.Heading(lang.L("How shall it learn?")),
		widgets.Quiet(lang.L("A picture gets noise, and the model guesses the noise. The methods differ in what they change to make the guess better: the lit part.")),
		m.newComparison(), cards, gap(),
		widgets.Heading(lang.L("What follows from that")), m.choices.object, gap(), m.drawer.object)
	m.content = container.NewVScroll(container.New(layout.NewCustomPaddedLayout(theme.Near, theme.Wide, theme.Normal, theme.Normal), column))
	p.Opened.Listen(func(*project.Project) { m.costsOf = ""; m.show() })
	p.Edited.Listen(func(engine.Job) { m.show(); m.askSoon() })
	p.PicturesChanged.Listen(func(int) { m.askSoon() })
	p.StateChanged.Listen(func(project.State) { m.askSoon() })
	m.show()
	return m
}

// newComparison leads to where the methods are compared.
func (m *Page) newComparison() fyne.CanvasObject {
	button := widgets.NewSteady(lang.L("Compare methods on these pictures"), fynetheme.GridIcon(), func() { m.Compare() })
	return container.NewBorder(nil, nil, container.NewCenter(button), nil, widgets.Quiet(lang.L("Not sure? Let several learn from your pictures, and see what each makes of them.")))
}

// Content is what the window shows.
func (m *Page) Content() fyne.CanvasObject { return m.content }

// Close ends what the page asks the engine.
func (m *Page) Close() {
	if m.timer != nil {
		m.timer.Stop()
	}
	if m.asking != nil {
		m.asking()
	}
}

// choose takes a method. Settings that it does not have are dropped, as they would be refused.
func (m *Page) choose(info engine.MethodInfo) {
	m.project.Edit(func(j *engine.Job) {
		j.Method = info.Name
		kept := map[string]string{}
		for _, s := range info.Settings {
			if v, ok := j.Settings[s.Name]; ok {
				kept[s.Name] = v
			}
		}
		j.Settings = kept
		j.Files = nil
	})
}

// show shows the job.
func (m *Page) show() {
	job := m.project.Job()
	for _, c := range m.cards {
		c.mark(c.info.Name == job.Method)
	}
	m.subject.show(job)
	m.drawer.show(job, m.info(job.Method))
}

func (m *Page) info(name string) engine.MethodInfo {
	for _, info := range m.methods {
		if info.Name == name {
			return info
		}
	}
	return engine.MethodInfo{}
}

// Shown is called when the page has come to be seen, Hidden when it is no more. It is seen at first.
func (m *Page) Shown() {
	m.unseen = false
	if m.stale {
		m.ask()
	}
}

// Hidden: see Shown.
func (m *Page) Hidden() { m.unseen = true }

// askSoon asks when nothing has changed for a moment.
func (m *Page) askSoon() {
	m.stale = true
	if m.timer != nil {
		m.timer.Stop()
	}
	m.timer = time.AfterFunc(thinkTime, func() { m.post(m.ask) })
}

// ask asks the engine what follows from the job, unless it trains: it would answer only afterwards. It waits until somebody
// sees the page, as the answer takes the engine a model's memory.
func (m *Page) ask() {
	if m.unseen {
		return
	}
	m.stale = false
	if m.asking != nil {
		m.asking()
		m.asking = nil
	}
	if m.project.Dir() == "" || m.project.State().Busy() {
		return
	}
	job, ready := m.project.Job(), m.project.Missing() == ""
	if !ready {
		m.choices.say(lang.L(m.project.Missing()))
	}
	newModel := job.Model != m.costsOf
	if !ready && !newModel {
		return
	}
	m.costsOf = job.Model
	ctx, cancel := context.WithCancel(context.Background())
	m.asking = cancel
	m.number++
	number := m.number
	go func() { // off Fyne's goroutine until post
		defer cancel()
		if ready {
			preview, err := m.eng.Plan(ctx, job, false, func(engine.Event) {})
			m.post(func() { m.answered(number, preview, err) })
		}
		if newModel {
			costs, err := m.eng.Costs(ctx, job.Model)
			m.post(func() { m.priced(costs, err) })
		}
	}()
}

func (m *Page) answered(number int, p engine.Preview, err error) {
	switch {
	case number != m.number: // another question is on its way
	case err != nil:
		m.choices.fail(err)
	default:
		m.choices.show(p)
		m.drawer.explain(p)
	}
}

func (m *Page) priced(costs []engine.MethodCost, err error) {
	if err != nil {
		m.costsOf = "" // ask again
		return
	}
	for _, cost := range costs {
		for _, c := range m.cards {
			if c.info.Name == cost.Method {
				c.price(cost)
			}
		}
	}
}
