package compare_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/gui/compare"
	"easel/gui/guitest"
	"easel/gui/project"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// page is a Compare page in a window.
type page struct {
	*compare.Page
	t       *testing.T
	eng     *fakeEngine
	queue   guitest.Queue
	dir     string // of the project
	project *project.Project
	window  fyne.Window
	backs   int
}

func newPage(t *testing.T) *page {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{Variant: theme.Light})
	p := &page{t: t, eng: &fakeEngine{t: t, dir: t.TempDir(), turns: make(chan error, 20), saved: map[string]engine.Comparison{}}, queue: guitest.NewQueue(), dir: t.TempDir(), project: project.New()}
	p.window = test.NewTempWindow(t, widget.NewLabel(""))
	p.Page = compare.New(p.eng, p.project, p.queue.Post, p.window, func() { p.backs++ })
	p.window.SetContent(p.Content())
	p.window.Resize(fyne.NewSize(880, 620))
	p.open(p.dir)
	t.Cleanup(func() {
		p.Close()
		p.project.Comparer.Stop()
		p.until("the end", func() bool { return !p.project.State().Busy() })
	})
	return p
}

// open opens a project that lacks nothing.
func (p *page) open(dir string) {
	p.project.Open(dir, engine.Job{Method: "lora", Model: "builtin", Word: "zorbit", Class: "toy", Steps: 7, Settings: map[string]string{"rank": "4"}}, engine.Run{})
	p.project.SetPictures(8)
}

func (p *page) until(what string, done func() bool) { p.t.Helper(); p.queue.Until(p.t, what, done) }

func (p *page) text() string { return guitest.Text(p.window.Content()) }

func (p *page) untilText(want string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%q in:\n%s", want, p.text()), func() bool { return strings.Contains(p.text(), want) })
}

func (p *page) wantText(wants ...string) {
	p.t.Helper()
	guitest.WantText(p.t, p.window.Content(), wants...)
}

func (p *page) tap(text string) { p.t.Helper(); guitest.Tap(p.t, p.window.Content(), text) }

// start starts a comparison, as soon as what there is has been read.
func (p *page) start() {
	p.t.Helper()
	p.until("it can start", func() bool { return p.offers("Start comparing") })
	p.tap("Start comparing")
}

func (p *page) offers(text string) bool {
	found := false
	guitest.Visit(p.window.Content(), func(o fyne.CanvasObject) {
		b, ok := o.(*widget.Button)
		found = found || ok && b.Text == text && !b.Disabled()
	})
	return found
}

// halves lets methods paint their newest pictures, or end their turn.
func (p *page) halves(n int) {
	for range n {
		p.eng.turns <- nil
	}
}

// choose ticks methods and unticks all others.
func (p *page) choose(titles ...string) {
	for _, c := range guitest.Find[*widget.Check](p.window.Content()) {
		if len(c.Text) > 0 {
			c.SetChecked(slices.Contains(titles, c.Text))
		}
	}
}

// capture lets people see the page in light and dark, and with large text.
func (p *page) capture(name string) {
	for i, looks := range []theme.Theme{{Variant: theme.Dark}, {Variant: theme.Light, Scale: 1.5}, {Variant: theme.Light}} {
		fyne.CurrentApp().Settings().SetTheme(looks)
		for range 40 { // pictures arrive
			select {
			case f := <-p.queue:
				f()
			case <-time.After(5 * time.Millisecond):
			}
		}
		guitest.Capture(p.t, p.window, fmt.Sprintf("compare-%s-%d", name, i))
	}
}

func TestWhatMethodsTakeIsMeasured(t *testing.T) {
	p := newPage(t)
	if len(p.eng.planned) != 0 {
		t.Error("it measures although nobody looks")
	}
	p.Open()
	p.wantText("A few steps are being measured")
	p.untilText("Not possible here: this run needs 12 GB")
	p.untilText("About 6 min 40 s for all together")
	p.wantText("About 1 min 40 s for 400 steps, with 433.0 MB of memory.")
	p.capture("setup")
	p.choose("LoRA", "Textual Inversion")
	p.wantText("About 3 min 20 s for all together")
	guitest.Find[*widgets.Entry](p.Content())[0].SetText("2,5")
	p.wantText("About 2 min 30 s for 600 steps", "About 5 min 00 s for all together")
	guitest.Find[*widgets.Entry](p.Content())[0].SetText("0.01")
	p.wantText("About 5 s for 20 steps") // the fewest
	guitest.Find[*widgets.Entry](p.Content())[0].SetText("long")
	p.wantText("The time must be a number of minutes")
	p.choose()
	p.wantText("Choose at least one method.")
	if p.offers("Start comparing") {
		t.Error("nothing can be compared")
	}
	if n := len(p.eng.planned); n != 5 {
		t.Errorf("measured %d times, once a method is enough", n)
	}
	p.project.Edit(func(j *engine.Job) { j.Word = "" })
	p.wantText("Choose a word for your subject")
}

func TestAComparisonIsWatchedToItsEnd(t *testing.T) {
	p := newPage(t)
	p.Open()
	p.choose("LoRA", "Textual Inversion")
	guitest.Find[*widgets.Entry](p.Content())[0].SetText("3.0")
	p.start()
	if p.project.State() != project.Comparing || p.project.Missing() == "" {
		t.Errorf("state %v, and training misses %q", p.project.State(), p.project.Missing())
	}
	p.untilText("LoRA, 1 of 2: step 100 of 400, 1 min 15 s left")
	p.wantText("Before", "the untrained model", "a cat on a green background", "waits")
	p.until("the untrained model's pictures", func() bool { return p.pictures() == 6 })
	p.halves(1)
	p.until("LoRA's first pictures", func() bool { return p.pictures() == 12 })
	p.capture("running")
	p.halves(1)
	p.untilText("Textual Inversion, 2 of 2")
	p.wantText("400 steps in 1 min 40 s", "In figures", "68 %", "Before training: 8 %", "3.1 %", "1.1 M", "2.2 MB", "0.25 s", "433.0 MB")
	p.halves(2)
	p.until("the end", func() bool { return !p.project.State().Busy() })
	p.untilText("68 % ★")
	p.until("all pictures", func() bool { return p.pictures() == 18 })
	if !p.offers("Compare anew") || guitest.Button(t, p.Content(), "Open the page") == nil {
		t.Error("the end does not show what can be done")
	}
	p.capture("done")
	want := engine.CompareRequest{Methods: []string{"lora", "ti"}, Seconds: 180,
		Job: engine.Job{Model: "builtin", Images: filepath.Join(p.dir, "images"), Word: "zorbit", Class: "toy", Out: filepath.Join(p.dir, "compare")}}
	if diff := cmp.Diff(want, p.eng.request(0)); diff != "" {
		t.Error(diff)
	}
	p.tap("Compare anew")
	p.wantText("Which methods take part?", "In figures")
}

// pictures counts those that are shown.
func (p *page) pictures() (n int) {
	for _, shown := range guitest.Find[*canvas.Image](p.Content()) {
		if shown.Image != nil && shown.Resource == nil {
			n++
		}
	}
	return n
}

func TestAnInterruptedComparisonGoesOn(t *testing.T) {
	p := newPage(t)
	p.Open()
	p.choose("LoRA", "Textual Inversion")
	p.start()
	p.halves(2)
	p.untilText("Textual Inversion, 2 of 2: step 100")
	p.tap("Stop")
	p.wantText("Stopping")
	p.untilText("A comparison stopped at Textual Inversion, method 2 of 2.")
	p.capture("interrupted")
	p.tap("Go on")
	p.untilText("Textual Inversion, 2 of 2: step 100")
	p.wantText("400 steps in 1 min 40 s", "68 %")
	p.halves(2)
	p.until("the end", func() bool { return p.offers("Compare anew") })
	want := engine.CompareRequest{Job: engine.Job{Images: filepath.Join(p.dir, "images"), Out: filepath.Join(p.dir, "compare"), Resume: true}}
	if diff := cmp.Diff(want, p.eng.request(1)); diff != "" {
		t.Error(diff)
	}
}

func TestWhatWasComparedIsShownAgain(t *testing.T) {
	p := newPage(t)
	p.Open()
	p.choose("LoRA")
	p.halves(2)
	p.start()
	p.untilText("400 steps in 1 min 40 s")
	p.until("the end", func() bool { return !p.project.State().Busy() })
	p.open("/other")
	p.untilText("Which methods take part?")
	if strings.Contains(p.text(), "In figures") {
		t.Error("another project shows these figures")
	}
	p.open(p.dir)
	p.untilText("In figures")
	p.wantText("400 steps in 1 min 40 s")
	p.tap("Compare anew")
	for _, c := range guitest.Find[*widget.Check](p.Content()) {
		if c.Text != "" && c.Checked != (c.Text == "LoRA") {
			t.Errorf("what was asked for before is not what is suggested: %s is %v", c.Text, c.Checked)
		}
	}
	p.halves(2)
	p.start()
	p.until("the end", func() bool { return p.offers("Compare anew") })
	if got, want := p.eng.request(1).Job.Out, filepath.Join(p.dir, "compare-2"); got != want {
		t.Errorf("the second comparison is in %s, not in %s", got, want)
	}

	dir := t.TempDir()
	for _, name := range []string{"compare", "compare-2"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	p.eng.mu.Lock()
	p.eng.saved[filepath.Join(dir, "compare-2")] = p.eng.saved[filepath.Join(p.dir, "compare")]
	p.eng.mu.Unlock()
	p.open(dir)
	p.untilText("In figures")
}

// TestNoComparisonReplacesAnother: not one that cannot be read, nor one behind a gap, nor one that is still being read.
func TestNoComparisonReplacesAnother(t *testing.T) {
	for _, c := range []struct{ folders, want string }{
		{"", "compare"},
		{"compare", "compare-2"},
		{"compare compare-3", "compare-4"},
		{"compare-2 compare-10 compare-notes", "compare-11"},
	} {
		t.Run(c.folders, func(t *testing.T) {
			p := newPage(t)
			for _, name := range strings.Fields(c.folders) {
				if err := os.Mkdir(filepath.Join(p.dir, name), 0o777); err != nil {
					t.Fatal(err)
				}
			}
			p.eng.broken = engine.Errorf("open comparison", p.dir, engine.BadFile, "it is torn")
			if p.Open(); p.offers("Start comparing") {
				t.Error("it can start before it is known what there is")
			}
			p.choose("LoRA")
			p.halves(2)
			p.start()
			p.until("the end", func() bool { return !p.project.State().Busy() })
			if got := filepath.Base(p.eng.request(0).Job.Out); got != c.want {
				t.Errorf("it goes to %s, not to %s", got, c.want)
			}
		})
	}
}

func TestAComparisonEndsWithItsProject(t *testing.T) {
	p := newPage(t)
	p.Open()
	p.choose("LoRA", "Textual Inversion")
	p.start()
	p.untilText("LoRA, 1 of 2: step 100")
	p.open("/other")
	p.until("it can start here", func() bool { return p.offers("Start comparing") })
	if p.project.State() != project.Idle {
		t.Errorf("state %v", p.project.State())
	}
}

func TestAPictureOpensLargeOverTheOneBefore(t *testing.T) {
	p := newPage(t)
	p.Open()
	p.choose("LoRA", "Textual Inversion")
	p.halves(4)
	p.start()
	p.until("the end", func() bool { return p.offers("Compare anew") })
	p.until("all pictures", func() bool { return p.pictures() == 18 })
	cells := p.cells()
	cells[7].Tapped(nil) // LoRA, second prompt
	large := guitest.Find[*widgets.Compare](p.Content())[0]
	p.until("the pictures", func() bool { return large.Shown() != nil })
	p.wantText(columns[1], "Before", "LoRA")
	p.capture("large")
	key := func(name fyne.KeyName) { p.window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: name}) }
	key(fyne.KeyDown)
	p.wantText("Textual Inversion")
	key(fyne.KeyPageDown)
	p.wantText(columns[2])
	key(fyne.KeyEscape)
	p.wantText("In figures")
	if p.window.Canvas().Focused() != cells[7].(fyne.Focusable) {
		t.Error("the keyboard is elsewhere")
	}
	key(fyne.KeyDown)
	key(fyne.KeyRight)
	if p.window.Canvas().Focused() != cells[14].(fyne.Focusable) {
		t.Error("arrows do not lead to the neighbours")
	}
	key(fyne.KeySpace)
	p.untilText("Textual Inversion")
	p.wantText(columns[2])
}

// cells are the grid's, row by row.
func (p *page) cells() (cells []fyne.Tappable) {
	guitest.Visit(p.Content(), func(o fyne.CanvasObject) {
		_, button := o.(*widgets.Steady)
		if c, ok := o.(fyne.Tappable); ok && !button {
			if _, ok := o.(fyne.Draggable); ok {
				cells = append(cells, c)
			}
		}
	})
	return cells
}

func TestNothingIsComparedWhileTraining(t *testing.T) {
	p := newPage(t)
	p.project.SetState(project.Training)
	p.Open()
	if p.offers("Start comparing") || len(p.eng.planned) != 0 {
		t.Error("the engine is asked while it trains")
	}
	p.project.SetState(project.Idle)
	p.until("it can start after training", func() bool { return p.offers("Start comparing") })
	p.untilText("for 400 steps")
}

func TestWhatGoesWrongIsSaid(t *testing.T) {
	p := newPage(t)
	p.Open()
	p.choose("LoRA", "Textual Inversion")
	p.start()
	p.eng.turns <- engine.Errorf("plan memory", "", engine.OutOfMemory, "it needs 12 GB")
	p.untilText("it needs 12 GB")
	p.untilText("Textual Inversion, 2 of 2")
	p.eng.turns <- engine.Errorf("plan memory", "", engine.OutOfMemory, "it needs 13 GB")
	p.untilText("no method could be trained")
	p.tap("Back")
	if p.backs != 1 {
		t.Error("there is no way back")
	}
}
