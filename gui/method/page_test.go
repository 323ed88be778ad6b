package method_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/gui/guitest"
	"easel/gui/method"
	"easel/gui/project"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// fakeEngine has the four methods, and says what a job would do.
type fakeEngine struct {
	engine.Engine
	mu      sync.Mutex
	planned []engine.Job
	err     error
}

func (e *fakeEngine) Methods() []engine.MethodInfo {
	rank := engine.Setting{Name: "rank", Default: "16", Help: "inner width of the inserted layers, 1 to 512"}
	return []engine.MethodInfo{
		{Name: "dreambooth", Title: "DreamBooth", Updates: "the U-Net's own weights", Element: engine.Weights, Good: "comes closest to the subject", Harm: "other prompts suffer most"},
		{Name: "ti", Title: "Textual inversion", Updates: "the vectors of a new word", Element: engine.WordEmbedding, Good: "a tiny file; nothing else changes", Harm: "cannot teach what the model cannot paint"},
		{Name: "lora", Title: "LoRA", Updates: "small low-rank layers inserted beside the model's own", Element: engine.InsertedLayers, Good: "learns most subjects and styles well",
			Harm: "at too many steps it holds pictures fast", Settings: []engine.Setting{rank, {Name: "targets", Default: "auto", Help: "layers that get one", Choices: []string{"auto", "attention", "all"}}},
			Files: []engine.FileForm{{Name: "kohya", Title: "for most programs"}, {Name: "peft", Title: "for other programs"}}},
		{Name: "hyper", Title: "Hypernetwork", Updates: "a second network that makes the inserted layers", Element: engine.Generator, Good: "styles", Harm: "slow to learn", Settings: []engine.Setting{rank}},
	}
}

func (e *fakeEngine) Plan(_ context.Context, job engine.Job, _ bool, _ engine.Sink) (engine.Preview, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.planned = append(e.planned, job)
	job.Steps = 800
	return engine.Preview{Job: job, Pictures: 8, Parameters: 1_600_000, FileBytes: 3_200_000, Plan: engine.Plan{Why: "keeps everything in memory"}, Choices: []engine.Choice{
		{Name: "rate", Value: "0.0001", Reason: "the rate at which most learn a subject"},
		{Name: "settings.rank", Value: "16", Reason: "room for one subject"},
		{Name: "steps", Value: "800", Reason: "each picture is seen a hundred times: fewer leave the subject vague, more hold the pictures fast"},
	}}, e.err
}

func (e *fakeEngine) Costs(context.Context, string) ([]engine.MethodCost, error) {
	return []engine.MethodCost{{Method: "lora", Parameters: 1_600_000, Peak: 2_100_000_000, FileBytes: 3_200_000},
		{Method: "dreambooth", Problem: "this run needs at least 11 GB of memory"}}, nil
}

func (e *fakeEngine) last() engine.Job {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.planned) == 0 {
		return engine.Job{}
	}
	return e.planned[len(e.planned)-1]
}

type page struct {
	t       *testing.T
	eng     *fakeEngine
	queue   guitest.Queue
	project *project.Project
	window  fyne.Window
	page    *method.Page
}

func newPage(t *testing.T) *page {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{Variant: theme.Light})
	p := &page{t: t, eng: &fakeEngine{}, queue: guitest.NewQueue(), project: project.New()}
	p.window = test.NewTempWindow(t, widget.NewLabel(""))
	m := method.New(p.eng, p.project, p.queue.Post, p.window)
	p.page = m
	t.Cleanup(m.Close)
	p.window.SetContent(m.Content())
	p.window.Resize(fyne.NewSize(1000, 700))
	p.project.Open("/p", engine.Job{Method: "lora", Model: "builtin"}, engine.Run{})
	p.project.SetPictures(8)
	return p
}

func (p *page) content() fyne.CanvasObject { return p.window.Content() }

func (p *page) untilText(want string) {
	p.t.Helper()
	p.queue.Until(p.t, fmt.Sprintf("%q", want), func() bool { return strings.Contains(guitest.Text(p.content()), want) })
}

// entry finds the entry beside a text.
func (p *page) entries() []*widgets.Entry { return guitest.Find[*widgets.Entry](p.content()) }

func TestEachMethodIsShownWithWhatItUpdates(t *testing.T) {
	p := newPage(t)
	guitest.WantText(t, p.content(), "DreamBooth", "Textual inversion", "LoRA", "Hypernetwork", "Comes closest to the subject.", "Slow to learn.")
	var lit []engine.Element
	for _, picture := range guitest.Find[*widgets.Pipeline](p.content()) {
		lit = append(lit, picture.Element())
	}
	if fmt.Sprint(lit) != fmt.Sprint([]engine.Element{engine.Weights, engine.WordEmbedding, engine.InsertedLayers, engine.Generator}) {
		t.Errorf("lit are %v", lit)
	}
	p.untilText("Trains 1.6 M numbers, takes 2.1 GB of memory, writes a file of 3.2 MB.")
	guitest.WantText(t, p.content(), "Not possible here: this run needs at least 11 GB of memory.")
}

func TestWhatFollowsIsShownWithItsReason(t *testing.T) {
	p := newPage(t)
	p.untilText("Choose a word")
	p.entries()[0].SetText("zorbit")
	p.entries()[1].SetText("monster toy")
	p.untilText("Each picture is seen a hundred times")
	guitest.WantText(t, p.content(), "8 pictures, 800 steps", "Steps", "800", "Rank", "Room for one subject.", "keeps everything in memory")
	if job := p.project.Job(); job.Word != "zorbit" || job.Class != "monster toy" {
		t.Errorf("job %+v", job)
	}
	for _, radio := range guitest.Find[*widget.RadioGroup](p.content()) {
		radio.SetSelected("A person")
	}
	p.queue.Until(t, "a plan for a person", func() bool { return p.eng.last().Goal == "person" })
	for i, v := range []theme.Variant{theme.Light, theme.Dark} {
		fyne.CurrentApp().Settings().SetTheme(theme.Theme{Variant: v})
		guitest.Capture(t, p.window, fmt.Sprintf("method-%d", i))
		p.content().(*container.Scroll).ScrollToBottom()
		guitest.Capture(t, p.window, fmt.Sprintf("method-%d-bottom", i))
	}
}

func TestAPlanThatFailsIsSaid(t *testing.T) {
	p := newPage(t)
	p.eng.err = engine.Errorf("plan memory", "", engine.OutOfMemory, "this run needs 12 GB")
	p.project.Edit(func(j *engine.Job) { j.Word = "zorbit" })
	p.untilText("this run needs 12 GB")
}

func TestNothingIsAskedWhileTraining(t *testing.T) {
	p := newPage(t)
	p.project.SetState(project.Training)
	p.project.Edit(func(j *engine.Job) { j.Word = "zorbit" })
	(<-p.queue)()
	if n := len(p.eng.planned); n != 0 {
		t.Errorf("%d plans were asked for", n)
	}
}

func TestAnotherMethodDropsTheSettingsItDoesNotHave(t *testing.T) {
	p := newPage(t)
	p.project.Edit(func(j *engine.Job) { j.Settings = map[string]string{"rank": "4", "targets": "all"} })
	var hyper fyne.Tappable
	guitest.Visit(p.content(), func(o fyne.CanvasObject) {
		if c, ok := o.(fyne.Tappable); ok && strings.HasPrefix(guitest.Text(o), "Hypernetwork") && hyper == nil {
			hyper = c
		}
	})
	hyper.Tapped(&fyne.PointEvent{})
	if job := p.project.Job(); job.Method != "hyper" || len(job.Settings) != 1 || job.Settings["rank"] != "4" {
		t.Errorf("job %+v", job)
	}
}

func TestAllSettingsCanBeFoundChangedAndSetBack(t *testing.T) {
	p := newPage(t)
	p.project.Edit(func(j *engine.Job) { j.Word = "zorbit" })
	p.untilText("800 steps")
	guitest.Tap(t, p.content(), "All settings")
	search := p.entries()[2]
	guitest.WantText(t, p.content(), "Learning rate", "Targets", "Guidance")
	guitest.Capture(t, p.window, "method-drawer")
	search.SetText("rank")
	if strings.Contains(guitest.Text(p.content()), "How strictly") {
		t.Error("searching for rank leaves guidance")
	}
	rank := p.entries()[3]
	if rank.PlaceHolder != "16" {
		t.Errorf("the empty field suggests %q", rank.PlaceHolder)
	}
	rank.SetText("4")
	if got := p.project.Job().Settings["rank"]; got != "4" {
		t.Errorf("rank is %q", got)
	}
	search.SetText("steps")
	steps := p.entries()[3]
	steps.SetText("many")
	guitest.WantText(t, p.content(), "This must be a whole number.")
	if p.project.Job().Steps != 0 {
		t.Error("a mistake reached the job")
	}
	steps.SetText("250")
	if p.project.Job().Steps != 250 || strings.Contains(guitest.Text(p.content()), "This must be") {
		t.Error("a good number is not taken")
	}
	search.SetText("learning rate")
	rate := p.entries()[3]
	rate.SetText("1e-4")
	if rate.Text != "1e-4" || p.project.Job().Rate != 1e-4 {
		t.Errorf("typing 1e-4 gives %q and %g", rate.Text, p.project.Job().Rate)
	}
	for _, b := range guitest.Find[*widgets.Steady](p.content()) {
		if b.Text == "" && b.Visible() {
			b.OnTapped()
		}
	}
	if p.project.Job().Rate != 0 || rate.Text != "" {
		t.Errorf("set back the rate is %g, shown as %q", p.project.Job().Rate, rate.Text)
	}
}

func TestSettingsOfAllKindsReachTheJob(t *testing.T) {
	p := newPage(t)
	guitest.Tap(t, p.content(), "All settings")
	search := p.entries()[2]
	find := func(text string) {
		search.SetText("")
		search.SetText(text)
	}
	find("masked")
	guitest.WantText(t, p.content(), "Loss")
	if strings.Contains(guitest.Text(p.content()), "Offset noise") {
		t.Error("searching for masked leaves the noise")
	}
	masked := p.selects()[1] // the first is the base model
	masked.SetSelected("on")
	find("templates")
	p.entries()[3].SetText("a photo of {caption}; {word}")
	find("loss.kind")
	p.selects()[1].SetSelected("huber")
	find("for other programs")
	guitest.Find[*widget.CheckGroup](p.content())[0].SetSelected([]string{"kohya", "peft"})
	job := p.project.Job()
	want := engine.Job{Method: "lora", Model: "builtin", Images: "/p/images", Out: "/p", Loss: engine.Loss{Kind: "huber", Masked: true},
		Captions: engine.Captions{Templates: []string{"a photo of {caption}", "{word}"}}, Files: []string{"kohya", "peft"}}
	if diff := cmp.Diff(want, job); diff != "" {
		t.Error(diff)
	}
	find("masked")
	p.selects()[1].SetSelected("off")
	if p.project.Job().Loss.Masked {
		t.Error("off leaves it on")
	}
}

func (p *page) selects() []*widget.Select { return guitest.Find[*widget.Select](p.content()) }

// TestNothingIsAskedUnseen: an answer takes a model's memory, and each edit of a caption would want one.
func TestNothingIsAskedUnseen(t *testing.T) {
	p := newPage(t)
	p.page.Hidden()
	p.project.Edit(func(j *engine.Job) { j.Word = "zorbit" })
	late := time.Now().Add(1200 * time.Millisecond)
	p.queue.Until(t, "the page would have asked", func() bool { return time.Now().After(late) })
	if job := p.eng.last(); job.Word != "" {
		t.Errorf("a hidden page asked about %+v", job)
	}
	p.page.Shown()
	p.queue.Until(t, "a plan for what was edited", func() bool { return p.eng.last().Word == "zorbit" })
}

// cards are those of the methods, in their order.
func (p *page) cards() (cards []fyne.Widget) {
	for _, o := range guitest.Find[fyne.Widget](p.content()) {
		_, hears := o.(desktop.Hoverable)
		if _, drags := o.(fyne.Draggable); hears && drags && len(guitest.Find[*widgets.Pipeline](o)) == 1 {
			cards = append(cards, o)
		}
	}
	return cards
}

// TestTheLivingPictureGoesOnBelowTheTitle: the title, which explains itself, takes the pointer from its card.
func TestTheLivingPictureGoesOnBelowTheTitle(t *testing.T) {
	p := newPage(t)
	shown := p.cards()[0]
	picture, title := guitest.Find[*widgets.Pipeline](shown)[0], guitest.Find[*widgets.Explained](shown)[0]
	height := shown.MinSize().Height
	shown.(desktop.Hoverable).MouseIn(&desktop.MouseEvent{})
	guitest.WantText(t, shown, widgets.Phases[0])
	if shown.MinSize().Height != height {
		t.Error("the card grows with what it says")
	}
	shown.(desktop.Hoverable).MouseOut()
	title.MouseIn(&desktop.MouseEvent{})
	for len(p.queue) > 0 {
		(<-p.queue)()
	}
	if picture.Phase() < 0 {
		t.Error("it rests below the title")
	}
	title.MouseOut()
	p.queue.Until(t, "rest", func() bool { return picture.Phase() == -1 })
	guitest.WantText(t, shown, "Changes ")
}

// TestNoCardStandsAlone where another number of columns fills the rows better.
func TestNoCardStandsAlone(t *testing.T) {
	p := newPage(t)
	for _, c := range []struct{ width, want float32 }{{1300, 4}, {900, 2}, {400, 1}} { // 3 have room in 900
		p.window.Resize(fyne.NewSize(c.width, 700))
		row := float32(0)
		for _, o := range p.cards() {
			if o.Position().Y == 0 {
				row++
			}
		}
		if row != c.want {
			t.Errorf("in a window of %v, %v cards are in a row, want %v", c.width, row, c.want)
		}
	}
}
