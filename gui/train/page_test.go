package train_test

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/gui/guitest"
	"easel/gui/project"
	"easel/gui/theme"
	"easel/gui/train"
	"easel/gui/widgets"
)

// fakeEngine trains by making step after step, as its steps channel lets it, and honours a job's Control.
type fakeEngine struct {
	engine.Engine
	dir   string
	steps chan error // one for each step: nil makes it, another ends the run

	mu       sync.Mutex
	jobs     []engine.Job
	asked    []engine.Asked
	run      engine.Run
	promoted []int
	planErr  error
	change   float64 // the weight change that runs report
	prepare  func(engine.Sink)
}

func (e *fakeEngine) Methods() []engine.MethodInfo {
	return []engine.MethodInfo{{Name: "lora", Title: "LoRA", Updates: "small layers", Element: engine.InsertedLayers}}
}

func (e *fakeEngine) OpenRun(context.Context, string) (engine.Run, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.run.Dir == "" {
		return e.run, engine.Errorf("open project", "", engine.NotFound, "nothing here")
	}
	return e.run, nil
}

func (e *fakeEngine) Promote(_ context.Context, _ string, step int) (engine.ExportEvent, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.promoted = append(e.promoted, step)
	e.run.Exported = engine.ExportEvent{Step: step, Path: "/p/zorbit.safetensors"}
	e.run.Export = e.run.Exported.Path
	return e.run.Exported, nil
}

func (e *fakeEngine) Plan(_ context.Context, job engine.Job, measure bool, _ engine.Sink) (engine.Preview, error) {
	job.Steps = 400
	return engine.Preview{Job: job, SecondsPerStep: 1, Seconds: 400, Plan: engine.Plan{Peak: 25e8, Recompute: 1, Why: "computes norms again"}}, e.planErr
}

func (e *fakeEngine) Train(ctx context.Context, job engine.Job, sink engine.Sink) (engine.Result, error) {
	e.mu.Lock()
	e.jobs = append(e.jobs, job)
	if e.prepare != nil {
		e.prepare(sink)
	}
	first := 0
	if job.Resume {
		first = e.run.Step
	} else {
		e.run = engine.Run{Dir: e.dir, Job: job, Columns: []string{"a photo of zorbit", "a cat"}}
	}
	e.mu.Unlock()
	for step := first + 1; step <= 4; step++ {
		if err := e.obey(ctx, job.Control, step-1, sink); err != nil {
			return engine.Result{}, err
		}
		select {
		case err := <-e.steps:
			if err != nil {
				return engine.Result{}, err
			}
		case <-ctx.Done():
			return engine.Result{}, engine.Errorf("train", "", engine.Cancelled, "stopped")
		}
		e.mu.Lock()
		e.run.Step = step
		row := engine.GridRow{Step: step, Pictures: []string{e.picture(step, 0), e.picture(step, 1)}, WeightChange: 0.01}
		e.run.Rows = append(e.run.Rows, row)
		e.mu.Unlock()
		sink(engine.Event{Kind: engine.KindStep, Step: &engine.StepEvent{Step: step, Steps: 4, Loss: 0.5 / float64(step), Smooth: 0.25, SecondsLeft: 75, SecondsPerStep: 25, Rate: 1e-3, Memory: 3e9}})
		sink(engine.Event{Kind: engine.KindGrid, Grid: &engine.GridEvent{Row: row, Columns: e.run.Columns}})
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.run.Done, e.run.Export = true, "/p/zorbit.safetensors"
	return engine.Result{Export: e.run.Export, Summary: engine.Summary{WeightChange: e.change}}, nil
}

func (e *fakeEngine) picture(step, column int) string {
	return filepath.Join(e.dir, fmt.Sprintf("%d-%d.png", step, column))
}

// obey does as a run does.
func (e *fakeEngine) obey(ctx context.Context, c *engine.Control, step int, sink engine.Sink) error {
	waiting := false
	for {
		asked, paused, changed := c.Take()
		e.mu.Lock()
		e.asked = append(e.asked, asked)
		e.mu.Unlock()
		if asked.Look {
			path := e.picture(0, 0)
			sink(engine.Event{Kind: engine.KindView, View: &engine.ViewEvent{Step: step + 1, Timestep: 400, Of: 1000, Caption: "a photo of zorbit", Loss: 0.125,
				Clean: path, Noised: path, Noise: path, Predicted: path, Denoised: path, Error: path}})
		}
		if paused != waiting {
			waiting = paused
			sink(engine.Event{Kind: engine.KindPause, Pause: &engine.PauseEvent{Paused: paused, Step: step}})
		}
		if !paused || asked.Step {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return engine.Errorf("train", "", engine.Cancelled, "stopped")
		}
	}
}

// page is a Train page in a window.
type page struct {
	*train.Page
	t       *testing.T
	eng     *fakeEngine
	queue   guitest.Queue
	project *project.Project
	window  fyne.Window
}

func newPage(t *testing.T, run engine.Run) *page {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{Variant: theme.Light})
	p := &page{t: t, eng: &fakeEngine{dir: t.TempDir(), steps: make(chan error, 10), change: 0.01, run: run}, queue: guitest.NewQueue(), project: project.New()}
	for step := range 5 {
		for column := range 2 {
			guitest.Picture(t, p.eng.dir, fmt.Sprintf("%d-%d.png", step, column), 64, color.NRGBA{uint8(60 * step), uint8(100 + 100*column), 80, 255})
		}
	}
	p.window = test.NewTempWindow(t, widget.NewLabel(""))
	p.Page = train.New(p.eng, p.project, p.queue.Post, p.window)
	p.window.SetContent(p.Content())
	p.window.Resize(fyne.NewSize(1000, 700))
	p.project.Open("/p", engine.Job{Method: "lora", Word: "zorbit"}, run)
	p.project.SetPictures(8)
	t.Cleanup(func() {
		p.project.Runner.Stop()
		p.until("the run to end", func() bool { return !p.project.State().Busy() })
	})
	return p
}

func (p *page) until(what string, done func() bool) { p.t.Helper(); p.queue.Until(p.t, what, done) }

func (p *page) untilText(want string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%q in:\n%s", want, guitest.Text(p.window.Content())), func() bool { return strings.Contains(guitest.Text(p.window.Content()), want) })
}

func (p *page) makeSteps(n int) {
	for range n {
		p.eng.steps <- nil
	}
}

func (p *page) tap(text string) { p.t.Helper(); guitest.Tap(p.t, p.window.Content(), text) }

// confirm taps a button of the dialog that is open.
func (p *page) confirm(text string) {
	p.t.Helper()
	overlay := p.window.Canvas().Overlays().Top()
	if overlay == nil {
		p.t.Fatal("no dialog is open")
	}
	guitest.Tap(p.t, overlay, text)
}

func (p *page) askedFor(what func(engine.Asked) bool) func() bool {
	return func() bool {
		p.eng.mu.Lock()
		defer p.eng.mu.Unlock()
		for _, a := range p.eng.asked {
			if what(a) {
				return true
			}
		}
		return false
	}
}

// capture lets people see the page in light and dark.
func capture(t *testing.T, p *page, name string) {
	for _, v := range []theme.Variant{theme.Dark, theme.Light} {
		fyne.CurrentApp().Settings().SetTheme(theme.Theme{Variant: v})
		for range 40 { // pictures arrive
			select {
			case f := <-p.queue:
				f()
			case <-time.After(5 * time.Millisecond):
			}
		}
		guitest.Capture(t, p.window, fmt.Sprintf("%s-%v", name, v))
	}
}

func TestARunIsWatchedToItsEnd(t *testing.T) {
	p := newPage(t, engine.Run{})
	guitest.WantText(t, p.window.Content(), "Nothing has been trained yet")
	p.project.Runner.Start()
	guitest.WantText(t, p.window.Content(), "The first row is on its way")
	p.makeSteps(2)
	p.untilText("2 / 4")
	capture(t, p, "train-running")
	guitest.WantText(t, p.window.Content(), "1 min 15 s", "25 s", "0.2500", "1.00 %", "3.00 GB", "a photo of zorbit", "Step 2")
	p.makeSteps(2)
	p.untilText("zorbit.safetensors is ready")
	if p.project.State() != project.Idle || !p.project.Run().Done {
		t.Errorf("after the run the project is in state %v", p.project.State())
	}
	guitest.WantText(t, p.window.Content(), "in use")
}

func TestPauseSampleSaveAndGoOn(t *testing.T) {
	p := newPage(t, engine.Run{})
	p.project.Runner.Start()
	p.makeSteps(1)
	p.untilText("1 / 4")
	p.project.Runner.Pause()
	p.makeSteps(1)
	p.until("the pause", func() bool { return p.project.State() == project.Paused })
	guitest.WantText(t, p.window.Content(), "Paused after step 2")
	p.tap("Sample now")
	p.until("a sample", p.askedFor(func(a engine.Asked) bool { return a.Sample }))
	p.tap("Save now")
	p.until("a checkpoint", p.askedFor(func(a engine.Asked) bool { return a.Save }))
	for _, entry := range guitest.Find[*widgets.Entry](p.window.Content()) {
		entry.SetText("a dog in the snow")
		entry.OnSubmitted(entry.Text)
	}
	p.until("a prompt", p.askedFor(func(a engine.Asked) bool { return len(a.Prompts) == 1 && a.Prompts[0] == "a dog in the snow" }))
	p.project.Runner.Resume()
	p.until("the run to go on", func() bool { return p.project.State() == project.Training })
	p.makeSteps(2)
	p.untilText("is ready")
}

func TestAStoppedRunIsOfferedAndGoesOn(t *testing.T) {
	p := newPage(t, engine.Run{})
	p.project.Runner.Start()
	p.makeSteps(2)
	p.untilText("2 / 4")
	p.project.Runner.Stop()
	p.untilText("A run stopped after step 2 of")
	p.tap("Go on")
	p.makeSteps(2)
	p.untilText("is ready")
	if jobs := p.eng.jobs; len(jobs) != 2 || jobs[0].Resume || !jobs[1].Resume || jobs[1].Out != "/p" {
		t.Errorf("jobs %+v", jobs)
	}
}

func TestStartAfterAChangeBeginsAnew(t *testing.T) {
	p := newPage(t, engine.Run{Dir: "/p/runs/1", Step: 2, Job: engine.Job{Steps: 4}})
	guitest.WantText(t, p.window.Content(), "A run stopped after step 2 of 4")
	capture(t, p, "train-offer")
	p.project.Edit(func(j *engine.Job) { j.Rate = 1e-5 })
	p.project.Runner.Start()
	p.makeSteps(4)
	p.untilText("is ready")
	if p.eng.jobs[0].Resume || p.eng.jobs[0].Rate != 1e-5 {
		t.Errorf("job %+v", p.eng.jobs[0])
	}
}

func TestWhatWentWrongIsSaid(t *testing.T) {
	nan := engine.Errorf("train", "", engine.NaN, "step 2 gave a loss of NaN")
	for _, c := range []struct {
		name  string
		err   error
		wants []string
	}{
		{"NaN", nan, []string{"The numbers ran away", "by step 1 is kept", "step 2 gave"}},
		{"memory", engine.Errorf("train", "", engine.OutOfMemory, "too much"), []string{"too much", "smaller picture size"}},
		{"file", engine.Errorf("load pictures", filepath.Join(t.TempDir(), "torn.jpg"), engine.BadInput, "it ends too early"), []string{"torn.jpg: it ends too early"}},
		{"folder", engine.Errorf("load pictures", t.TempDir(), engine.BadInput, "the folder is empty"), []string{"The folder is empty."}},
		{"other", errors.New("the disk is full"), []string{"the disk is full"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPage(t, engine.Run{})
			p.project.Runner.Start()
			p.makeSteps(1)
			p.untilText("1 / 4")
			p.eng.steps <- c.err
			p.until("the end", func() bool { return !p.project.State().Busy() })
			guitest.WantText(t, p.window.Content(), c.wants...)
		})
	}
}

func TestARunThatChangedNothingIsTold(t *testing.T) {
	p := newPage(t, engine.Run{})
	p.eng.change = 0
	p.project.Runner.Start()
	p.makeSteps(4)
	p.untilText("This run changed nothing")
}

func TestWhatARunTakesIsSaidFirst(t *testing.T) {
	p := newPage(t, engine.Run{})
	p.project.Runner.Start()
	if p.project.State() != project.Planning {
		t.Errorf("the run begins in state %v", p.project.State())
	}
	p.untilText("400 steps take about 6 min 40 s")
	guitest.WantText(t, p.window.Content(), "2.5 GB", "computes norms again")
	p.project.Runner.Stop()
	p.until("the end", func() bool { return !p.project.State().Busy() })
	p.eng.planErr = engine.Errorf("plan memory", "", engine.OutOfMemory, "this run needs 12 GB")
	p.project.Runner.Start()
	p.untilText("this run needs 12 GB")
	if n := len(p.eng.jobs); n > 1 {
		t.Errorf("%d runs were started, and one must fail", n)
	}
}

func TestARowIsChosen(t *testing.T) {
	p := newPage(t, engine.Run{})
	p.project.Runner.Start()
	p.makeSteps(2)
	p.untilText("Step 2")
	guitest.Button(t, p.window.Content(), "Use this")
	guitest.Find[*widgets.Grid](p.window.Content())[0].Choose(0)
	p.confirm("Stop and use it")
	p.untilText("now holds what was learned by step 1")
	if fmt.Sprint(p.eng.promoted) != "[1]" {
		t.Errorf("promoted %v", p.eng.promoted)
	}
	guitest.WantText(t, p.window.Content(), "in use")
}

func TestAPictureOpensLarge(t *testing.T) {
	p := newPage(t, engine.Run{})
	p.project.Runner.Start()
	p.makeSteps(3)
	p.untilText("Step 3")
	grid := guitest.Find[*widgets.Grid](p.window.Content())[0]
	grid.Open(2, 1)
	compare := guitest.Find[*widgets.Compare](p.window.Content())[0]
	p.until("the pictures", func() bool { return compare.Shown() != nil })
	guitest.WantText(t, p.window.Content(), "a cat")
	if p.window.Canvas().Focused() != fyne.Focusable(compare) {
		t.Error("the keyboard is elsewhere")
	}
	compare.TypedKey(&fyne.KeyEvent{Name: fyne.KeyPageUp})
	guitest.WantText(t, p.window.Content(), "a photo of zorbit")
	p.until("the pictures", func() bool { return compare.Shown() != nil })
	capture(t, p, "train-large")
	compare.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if len(guitest.Find[*widgets.Compare](p.window.Content())) != 0 {
		t.Error("Escape does not go back")
	}
}

func TestAColumnGetsAnotherPrompt(t *testing.T) {
	p := newPage(t, engine.Run{})
	p.project.Runner.Start()
	p.makeSteps(1)
	p.untilText("1 / 4")
	change := func(text string) {
		guitest.Find[*widgets.Grid](p.window.Content())[0].Reword(1)
		entry := guitest.Find[*widgets.Entry](p.window.Canvas().Overlays().Top())[0]
		if entry.Text != "a cat" {
			t.Errorf("one begins with %q", entry.Text)
		}
		entry.SetText(text)
		capture(t, p, "train-prompt")
		p.confirm("Change")
	}
	change("a dog")
	p.makeSteps(1)
	p.until("the change", p.askedFor(func(a engine.Asked) bool {
		return len(a.Reworded) == 1 && a.Reworded[0] == engine.Reworded{Column: 1, Prompt: "a dog"}
	}))
	p.makeSteps(2)
	p.untilText("is ready")
	change("a horse") // nothing runs: it is for the next run
	guitest.WantText(t, p.window.Content(), "The next run watches “a horse”")
	if diff := cmp.Diff([]string{"a photo of zorbit", "a horse"}, p.project.Job().Prompts); diff != "" {
		t.Error(diff)
	}
}

// TestWhatIsDoneNowIsSaid: events tell of what is finished, the page of what goes on.
func TestWhatIsDoneNowIsSaid(t *testing.T) {
	p := newPage(t, engine.Run{})
	release := make(chan struct{})
	p.eng.prepare = func(sink engine.Sink) {
		for _, part := range []string{"model", "pictures", "memory", "latents", "method"} {
			sink(engine.Event{Kind: engine.KindSetup, Setup: &engine.SetupEvent{What: part, Detail: "done"}})
			<-release
		}
	}
	p.project.Runner.Start()
	guitest.WantText(t, p.window.Content(), "Measuring what a step takes")
	for _, want := range []string{"looking at the pictures", "planning the memory", "encoding the pictures", "building the training step", "the first pictures"} {
		p.untilText("Preparing: " + want)
		release <- struct{}{}
	}
}

func TestAStepIsLookedInto(t *testing.T) {
	p := newPage(t, engine.Run{})
	p.project.Runner.Start()
	p.makeSteps(1)
	p.untilText("1 / 4")
	p.tap("Look inside")
	p.makeSteps(1)
	p.untilText("Inside step 3")
	guitest.WantText(t, p.window.Content(), "a photo of zorbit", "40 % of the way", "loss of 0.1250", "small layers")
	if element := guitest.Find[*widgets.Pipeline](p.window.Content())[0].Element(); element != engine.InsertedLayers {
		t.Errorf("the element %q is lit", element)
	}
	capture(t, p, "train-inside")
	p.tap("Next step")
	p.makeSteps(1)
	p.untilText("Inside step 4")
	if p.project.State() != project.Paused {
		t.Errorf("after a single step the state is %v", p.project.State())
	}
}

func TestEscapeGoesBackToTheGrid(t *testing.T) {
	p := newPage(t, engine.Run{})
	if p.Escape() {
		t.Error("there is something to go back from")
	}
	p.project.Runner.Start()
	p.makeSteps(1)
	p.untilText("1 / 4")
	p.tap("Look inside")
	p.makeSteps(1)
	p.untilText("Inside step 3")
	if !p.Escape() || strings.Contains(guitest.Text(p.window.Content()), "Inside step 3") {
		t.Error("the step is still shown")
	}
}

func TestALongTextFitsIntoItsBanner(t *testing.T) {
	p := newPage(t, engine.Run{})
	p.eng.prepare = func(sink engine.Sink) {
		sink(engine.Event{Kind: engine.KindWarning, Warning: &engine.WarningEvent{Path: "/p/images/torn.jpg", Text: strings.Repeat("left out, as the file ends in the middle of the picture; ", 5)}})
	}
	p.project.Runner.Start()
	p.untilText("torn.jpg: left out")
	guitest.WantText(t, p.window.Content(), "400 steps take about") // is said still
	for _, label := range guitest.Find[*widget.Label](p.window.Content()) {
		if strings.Contains(label.Text, "torn.jpg") && label.Size().Height < label.MinSize().Height {
			t.Errorf("the text is %v high and has %v", label.MinSize().Height, label.Size().Height)
		}
	}
}

func TestWhatIsPreparedIsCounted(t *testing.T) {
	p := newPage(t, engine.Run{})
	p.eng.prepare = func(sink engine.Sink) {
		sink(engine.Event{Kind: engine.KindSetup, Setup: &engine.SetupEvent{What: "latents"}})
		sink(engine.Event{Kind: engine.KindSampling, Sampling: &engine.SamplingEvent{Picture: 17, Pictures: 64, Step: 3, Steps: 20}})
	}
	p.project.Runner.Start()
	p.untilText("building the training step, 17 of 64")
}

// TestARunThatCannotGoOnCanBeginAnew: its pictures may have changed meanwhile.
func TestARunThatCannotGoOnCanBeginAnew(t *testing.T) {
	run := engine.Run{Dir: "/p/runs/1", Step: 2, Job: engine.Job{Steps: 4}}
	p := newPage(t, run)
	p.eng.steps <- engine.Errorf("resume", "", engine.BadInput, "the pictures have changed")
	p.tap("Go on")
	p.untilText("The pictures have changed.")
	p.until("the end", func() bool { return !p.project.State().Busy() })
	p.tap("Start anew")
	p.makeSteps(4)
	p.untilText("is ready")
	if jobs := p.eng.jobs; len(jobs) != 2 || !jobs[0].Resume || jobs[1].Resume {
		t.Errorf("jobs %+v", jobs)
	}
}

// TestANewRunThatFailsHalfWayCanGoOn: the disk that was full has room again.
func TestANewRunThatFailsHalfWayCanGoOn(t *testing.T) {
	p := newPage(t, engine.Run{})
	p.project.Runner.Start()
	p.makeSteps(2)
	p.untilText("2 / 4")
	p.eng.steps <- engine.Errorf("write checkpoint", "", engine.BadInput, "no space left on device")
	p.untilText("No space left on device.")
	p.until("the end", func() bool { return !p.project.State().Busy() })
	guitest.Button(t, p.window.Content(), "Start anew")
	p.tap("Go on")
	p.makeSteps(2)
	p.untilText("is ready")
	if jobs := p.eng.jobs; len(jobs) != 2 || !jobs[1].Resume {
		t.Errorf("jobs %+v", jobs)
	}
}

// TestNoRowIsTakenWhileComparing: the engine would do it after all methods, and nobody would know.
func TestNoRowIsTakenWhileComparing(t *testing.T) {
	p := newPage(t, engine.Run{Dir: "/p/runs/1", Step: 4, Done: true, Columns: []string{"a cat"}, Job: engine.Job{Steps: 4},
		Rows: []engine.GridRow{{Step: 0, Pictures: []string{"0.png"}}, {Step: 2, Pictures: []string{"2.png"}}, {Step: 4, Pictures: []string{"4.png"}}}})
	p.project.SetState(project.Comparing)
	p.tap("Use this")
	guitest.WantText(t, p.window.Content(), "Methods are being compared")
	p.project.SetState(project.Idle)
	if len(p.eng.promoted) > 0 {
		t.Error("it was taken")
	}
}
