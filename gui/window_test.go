package gui

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/guitest"
	"easel/gui/widgets"
)

// ui stands for Fyne's goroutine: what is posted waits until the test runs it.
type ui struct {
	t      *testing.T
	posted chan func()
	slow   time.Duration // the longest that something posted has worked
}

func newUI(t *testing.T) *ui { return &ui{t: t, posted: make(chan func(), 10_000)} }

func (u *ui) post(f func()) { u.posted <- f }

// until runs what is posted until done holds.
func (u *ui) until(what string, done func() bool) {
	u.t.Helper()
	deadline := time.After(5 * time.Minute) // a bound for a machine that is busy, not what is tested
	for !done() {
		select {
		case f := <-u.posted:
			u.timed(f)
		case <-deadline:
			u.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// timed runs what Fyne's goroutine would.
func (u *ui) timed(f func()) {
	begin := worked()
	f()
	u.slow = max(u.slow, worked()-begin)
}

// settle runs what is posted until nothing has been for a while.
func (u *ui) settle() {
	for {
		select {
		case f := <-u.posted:
			f()
		case <-time.After(50 * time.Millisecond):
			return
		}
	}
}

func newTestWindow(t *testing.T, eng engine.Engine) (*Window, *ui) {
	u := newUI(t)
	app := test.NewTempApp(t)
	app.Preferences().SetString("projects", filepath.Join(t.TempDir(), "projects"))
	w := NewWindow(app, eng, u.post)
	t.Cleanup(w.close)
	return w, u
}

// texts lists what a reader sees below object.
func texts(object fyne.CanvasObject) []string {
	var all []string
	visit(object, func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widget.Label:
			all = append(all, o.Text)
		case *widget.Button:
			all = append(all, o.Text)
		}
	})
	return all
}

func images(object fyne.CanvasObject) (all []image.Image) {
	visit(object, func(o fyne.CanvasObject) {
		if shown, ok := o.(*canvas.Image); ok && shown.Image != nil && shown.Resource == nil { // icons have one
			all = append(all, shown.Image)
		}
	})
	return all
}

// visit calls f for object and all that it shows.
func visit(object fyne.CanvasObject, f func(fyne.CanvasObject)) { guitest.Visit(object, f) }

func says(w *Window, want string) bool {
	return strings.Contains(strings.Join(texts(w.window.Content()), "\n"), want)
}

func wantText(t *testing.T, w *Window, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !says(w, want) {
			t.Errorf("the window does not say %q but:\n%s", want, strings.Join(texts(w.window.Content()), "\n"))
		}
	}
}

// finished is a finished run with two rows of two pictures.
func finished(t *testing.T, dir string) engine.Run {
	run := engine.Run{
		Dir: dir, Done: true, Step: 300, Columns: []string{"a photo of zorbit", "a red apple"}, Export: filepath.Join(dir, "zorbit.safetensors"),
		Job:    engine.Job{Method: "lora", Model: "builtin", Word: "zorbit", Class: "monster toy", Steps: 300, Out: dir},
		Losses: []engine.StepLoss{{Step: 300, Loss: 0.125}},
	}
	for _, step := range []int{0, 300} {
		row := engine.GridRow{Step: step}
		for i := range 2 {
			path := filepath.Join(t.TempDir(), fmt.Sprintf("%d-%d.png", step, i))
			guitest.Plain(t, path, 128, 128, color.RGBA{uint8(step), uint8(100 * i), 40, 255})
			row.Pictures = append(row.Pictures, path)
		}
		run.Rows = append(run.Rows, row)
	}
	return run
}

// holds tells whether a pixel of m has the colour c.
func holds(m image.Image, c color.Color) bool {
	r, g, b, _ := c.RGBA()
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			if r2, g2, b2, _ := m.At(x, y).RGBA(); r2 == r && g2 == g && b2 == b {
				return true
			}
		}
	}
	return false
}

func TestTheFirstStartTeaches(t *testing.T) {
	w, _ := newTestWindow(t, newFakeEngine())
	wantText(t, w, "Teach a model", "zorbit", "dotmug", "birdbot", "Try it", "Add pictures first.")
	if n := len(images(w.window.Content())); n != 3 {
		t.Errorf("%d pictures of samples", n)
	}
}

func TestASampleBecomesAProject(t *testing.T) {
	w, u := newTestWindow(t, newFakeEngine())
	visit(w.start.content, func(o fyne.CanvasObject) {
		if b, ok := o.(*widget.Button); ok && b.Text == "Try it" && w.project.Dir() == "" && len(u.posted) == 0 {
			test.Tap(b)
			u.until("a project is open", func() bool { return w.project.Dir() != "" })
		}
	})
	u.until("its pictures are looked at", func() bool { return w.project.Pictures() == 8 })
	job := w.project.Job()
	if job.Word != "zorbit" || job.Class != "monster toy" || job.Method != "lora" || job.Model != "builtin" {
		t.Errorf("job %+v", job)
	}
	wantText(t, w, "All is ready.")
	if w.project.Missing() != "" {
		t.Errorf("missing: %s", w.project.Missing())
	}
	if w.window.Title() != "Easel: zorbit" {
		t.Errorf("title %q", w.window.Title())
	}
}

func TestOpenShowsTheGrid(t *testing.T) {
	eng := newFakeEngine()
	dir := filepath.Join(t.TempDir(), "my toy")
	run := finished(t, dir)
	eng.jobs[dir], eng.runs[dir] = run.Job, run
	w, u := newTestWindow(t, eng)
	w.Take([]string{mkdir(t, dir)}) // as a drop of the project's folder would
	u.until("the project is open", func() bool { return w.project.Dir() == dir })
	w.tabs.SelectIndex(2)
	wantText(t, w, "my toy", "a photo of zorbit", "a red apple", "Before", "Step 300", "in use", "300 / 300")
	u.until("the pictures are read", func() bool { return len(images(w.window.Content())) >= 4 })
	if drawn := w.window.Canvas().Capture(); !holds(drawn, color.NRGBA{44, 100, 40, 255}) {
		t.Error("the last picture is not drawn")
	}
}

func TestPicturesOfARunThatCannotBeShown(t *testing.T) {
	eng := newFakeEngine()
	dir := t.TempDir()
	run := finished(t, dir)
	if err := os.Remove(run.Rows[0].Pictures[0]); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(run.Rows[0].Pictures[1], []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	eng.jobs[dir], eng.runs[dir] = run.Job, run
	w, u := newTestWindow(t, eng)
	w.Open(dir)
	w.tabs.SelectIndex(2)
	u.until("the grid is read", func() bool { return says(w, "0-0.png is missing") && says(w, "0-1.png is no picture") })
}

func TestAProjectThatCannotBeOpened(t *testing.T) {
	w, u := newTestWindow(t, newFakeEngine())
	w.Open("/none")
	u.until("it says so", func() bool { return says(w, "is no project of Easel") })
	test.TypeOnCanvas(w.window.Canvas(), "")
	w.window.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if says(w, "is no project of Easel") {
		t.Error("Escape does not close the notice")
	}
}

func TestTheProjectOpenedLastIsShown(t *testing.T) {
	eng := newFakeEngine()
	gate := make(chan struct{})
	eng.jobs["/slow"], eng.jobs["/fast"] = engine.Job{}, engine.Job{}
	eng.wait["/slow"] = gate
	w, u := newTestWindow(t, eng)
	w.Open("/slow")
	w.Open("/fast")
	u.until("the fast one is open", func() bool { return w.project.Dir() == "/fast" })
	close(gate)
	(<-u.posted)()
	u.until("nothing waits", func() bool { return len(u.posted) == 0 })
	if w.window.Title() != "Easel: fast" {
		t.Errorf("title %q", w.window.Title())
	}
}

func TestClosingTheWindowEndsReading(t *testing.T) {
	read := make(chan error, 1)
	w, _ := newTestWindow(t, contextEngine{fakeEngine: newFakeEngine(), done: read})
	w.eng.(contextEngine).jobs["/p"] = engine.Job{}
	w.Open("/p")
	w.window.Close()
	if err := <-read; !errors.Is(err, context.Canceled) {
		t.Errorf("reading ended with %v", err)
	}
}

// contextEngine reads until it is told to stop.
type contextEngine struct {
	*fakeEngine
	done chan error
}

func (e contextEngine) OpenRun(ctx context.Context, _ string) (engine.Run, error) {
	<-ctx.Done()
	e.done <- ctx.Err()
	return engine.Run{}, ctx.Err()
}

func TestStartIsForReadyProjects(t *testing.T) {
	eng := newFakeEngine()
	eng.jobs["/p"] = engine.Job{}
	w, u := newTestWindow(t, eng)
	r := &fakeRunner{}
	w.project.Runner = r
	if !w.toolbar.start.Disabled() {
		t.Error("Start is offered without a project")
	}
	w.Open("/p")
	u.until("it is open", func() bool { return w.project.Dir() == "/p" })
	w.project.SetPictures(4)
	w.project.Edit(func(j *engine.Job) { j.Word = "zorbit" })
	test.Tap(w.toolbar.start)
	w.project.SetState(2) // training
	test.Tap(w.toolbar.start)
	w.project.SetState(3) // paused
	test.Tap(w.toolbar.start)
	test.Tap(w.toolbar.stop)
	if got := strings.Join(r.calls, " "); got != "start pause resume stop" {
		t.Errorf("the runner was asked to %s", got)
	}
}

func TestStartSaysWhatItDoes(t *testing.T) {
	eng := newFakeEngine()
	eng.jobs["/p"] = engine.Job{Word: "zorbit"}
	eng.runs["/p"] = engine.Run{Dir: "/p/runs/1", Step: 120, Job: engine.Job{Steps: 400}}
	w, u := newTestWindow(t, eng)
	says := func(button, line string) {
		t.Helper()
		if w.toolbar.start.Text != button || w.toolbar.state.Text != line {
			t.Errorf("it says %q and %q, want %q and %q", w.toolbar.start.Text, w.toolbar.state.Text, button, line)
		}
	}
	w.Open("/p")
	u.until("it is open", func() bool { return w.project.Dir() == "/p" })
	says("Start training", "Add pictures that can be used.")
	w.project.SetPictures(4)
	says("Go on from step 120", "A run stopped at step 120 of 400")
	wantText(t, w, "Start anew begins another at step 0")
	w.project.Edit(func(j *engine.Job) { j.Rate = 1e-5 })
	says("Start anew", "Settings were changed: from step 0")
	w.project.SetRun(engine.Run{Dir: "/p/runs/1", Step: 400, Done: true, Job: engine.Job{Steps: 400}})
	says("Start training", "All is ready.")
}

func TestClosingWhileTrainingAsks(t *testing.T) {
	w, _ := newTestWindow(t, newFakeEngine())
	closed := false
	w.window.SetOnClosed(func() { closed = true })
	r := &fakeRunner{}
	w.project.Runner = r
	w.project.SetState(2)
	w.askToClose()
	if closed || w.window.Canvas().Overlays().Top() == nil {
		t.Fatal("it did not ask")
	}
	visit(w.window.Canvas().Overlays().Top().(*widget.PopUp).Content, func(o fyne.CanvasObject) {
		if b, ok := o.(*widget.Button); ok && b.Text == "Stop and close" {
			test.Tap(b)
		}
	})
	if len(r.calls) != 1 || r.calls[0] != "stop" || closed {
		t.Fatalf("calls %v, closed %v", r.calls, closed)
	}
	w.project.SetState(0)
	if !closed {
		t.Error("it did not close when the run had stopped")
	}
}

type fakeRunner struct{ calls []string }

func (r *fakeRunner) Start()  { r.calls = append(r.calls, "start") }
func (r *fakeRunner) Pause()  { r.calls = append(r.calls, "pause") }
func (r *fakeRunner) Resume() { r.calls = append(r.calls, "resume") }
func (r *fakeRunner) Stop()   { r.calls = append(r.calls, "stop") }

func (r *fakeRunner) GoesOn() bool { return false }

func mkdir(t *testing.T, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// newToyWindow makes a window in which the project "my toy" in dir is open.
func newToyWindow(t *testing.T) (w *Window, u *ui, dir string) {
	t.Helper()
	eng := newFakeEngine()
	dir = mkdir(t, filepath.Join(t.TempDir(), "my toy"))
	eng.jobs[dir] = engine.Job{Word: "zorbit"}
	w, u = newTestWindow(t, eng)
	w.Open(dir)
	u.until("it is open", func() bool { return w.project.Dir() == dir })
	return w, u, dir
}

func TestANewProjectIsBegunBesideTheOpenOne(t *testing.T) {
	w, u, dir := newToyWindow(t)
	guitest.Tap(t, w.toolbar.content, "Projects")
	wantText(t, w, "Teach a model", "Back to my toy")
	guitest.Tap(t, w.window.Content(), "Back to my toy")
	if w.start.content.Visible() || !w.pictures.Content().Visible() {
		t.Error("the project is not shown again")
	}
	guitest.Tap(t, w.toolbar.content, "Projects")
	w.Take([]string{writeJPEG(t, filepath.Join(mkdir(t, filepath.Join(t.TempDir(), "cats")), "a.jpg"), 64, 64)})
	u.until("there is another", func() bool { return w.project.Name() == "a" && w.project.Pictures() == 1 })
	if w.start.content.Visible() {
		t.Error("the start page is still shown")
	}
	guitest.Tap(t, w.toolbar.content, "Projects")
	wantText(t, w, "Or go on with", "my toy   "+dir)
	w.leaveStart()
	w.project.SetState(2) // training
	guitest.Tap(t, w.toolbar.content, "Projects")
	wantText(t, w, "Stop that first")
	w.project.SetState(0)
}

func TestAProjectWithARunOpensWhereItIsSeen(t *testing.T) {
	eng := newFakeEngine()
	dir := mkdir(t, filepath.Join(t.TempDir(), "my toy"))
	run := finished(t, dir)
	run.Done, run.Step = false, 200
	eng.jobs[dir], eng.runs[dir] = run.Job, run
	w, u := newTestWindow(t, eng)
	w.Open(dir)
	u.until("the project is open", func() bool { return w.project.Dir() == dir })
	if w.tabs.SelectedIndex() != trainTab {
		t.Errorf("page %d is shown", w.tabs.SelectedIndex())
	}
	wantText(t, w, "A run stopped after step 200 of 300")
}

func TestEscapeClosesADialogFirst(t *testing.T) {
	w, _ := newTestWindow(t, newFakeEngine())
	w.notice.show("three files", []string{"a", "b", "c"})
	guitest.Tap(t, w.notice.content, "Which?")
	escape := func() { w.window.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape}) }
	escape()
	if w.window.Canvas().Overlays().Top() != nil || !w.notice.content.Visible() {
		t.Error("the dialog is still there, or the notice went with it")
	}
	escape()
	if w.notice.content.Visible() {
		t.Error("the notice is still there")
	}
}

// captioningEngine writes captions until it is told to stop.
type captioningEngine struct{ *fakeEngine }

func (captioningEngine) Caption(ctx context.Context, _ engine.CaptionRequest, _ engine.Sink) (engine.CaptionResult, error) {
	<-ctx.Done()
	return engine.CaptionResult{}, engine.Errorf("caption", "", engine.Cancelled, "%w", ctx.Err())
}

// TestEscapeLeavesWhatGoesOn: captions would be written on, and nothing could end that.
func TestEscapeLeavesWhatGoesOn(t *testing.T) {
	w, u := newTestWindow(t, captioningEngine{newFakeEngine()})
	w.Take([]string{writeJPEG(t, filepath.Join(t.TempDir(), "a.jpg"), 64, 64)})
	u.until("the picture is there", func() bool { return w.project.Pictures() == 1 })
	overlays := w.window.Canvas().Overlays()
	escape := func() { w.window.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape}) }
	guitest.Tap(t, w.pictures.Content(), "Write captions")
	if escape(); overlays.Top() != nil {
		t.Fatal("the question stays")
	}
	guitest.Tap(t, w.pictures.Content(), "Write captions")
	guitest.Tap(t, overlays.Top(), "Write")
	w.window.Canvas().Unfocus() // as a click beside the button does
	if escape(); overlays.Top() == nil {
		t.Fatal("captions are written, and nobody can end it")
	}
	guitest.Tap(t, overlays.Top(), "Cancel")
	u.until("it has ended", func() bool { return strings.Contains(guitest.Text(overlays.Top()), "0 captions were written.") })
	if escape(); overlays.Top() != nil {
		t.Error("the result stays")
	}
}

func TestTheToolbarHasRoomForWhatIsMissing(t *testing.T) {
	w, _ := newTestWindow(t, newFakeEngine())
	w.window.Resize(fyne.NewSize(1100, 760))
	w.project.Open("/p/my cat", engine.Job{}, engine.Run{})
	w.project.SetPictures(8)
	text := fyne.MeasureText(w.toolbar.state.Text, w.app.Settings().Theme().Size("text"), fyne.TextStyle{}).Width
	if has := w.toolbar.state.Size().Width; has < text {
		t.Errorf("%q needs %v and has %v", w.toolbar.state.Text, text, has)
	}
}

func TestKeysShowThePages(t *testing.T) {
	w, _, _ := newToyWindow(t)
	press := func(n int) {
		s := &desktop.CustomShortcut{KeyName: fyne.KeyName(fmt.Sprint(n)), Modifier: fyne.KeyModifierShortcutDefault}
		if focused, ok := w.window.Canvas().Focused().(fyne.Shortcutable); ok { // as Fyne does
			focused.TypedShortcut(s)
			return
		}
		w.window.Canvas().(fyne.Shortcutable).TypedShortcut(s)
	}
	for n := 5; n > 0; n-- {
		if press(n); w.tabs.SelectedIndex() != n-1 {
			t.Errorf("Ctrl+%d shows page %d", n, w.tabs.SelectedIndex()+1)
		}
	}
	w.pictures.Focus()
	if press(2); w.tabs.SelectedIndex() != 1 {
		t.Error("the pictures keep the key")
	}
	w.window.Canvas().Focus(guitest.Find[*widgets.Entry](w.method.Content())[0])
	if press(1); w.tabs.SelectedIndex() != 0 {
		t.Error("an entry keeps the key")
	}
	for range 2 {
		w.window.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyF1})
	}
	if n := len(w.window.Canvas().Overlays().List()); n != 1 {
		t.Errorf("F1 shows the words %d times", n)
	}
}

// TestKeysGoToThePageThatIsSeen: Fyne leaves the focus with what is hidden.
func TestKeysGoToThePageThatIsSeen(t *testing.T) {
	w, _, _ := newToyWindow(t)
	w.tabs.SelectIndex(trainTab)
	if focused := w.window.Canvas().Focused(); focused != nil {
		t.Errorf("on the Train page keys go to %T", focused)
	}
	w.tabs.SelectIndex(0)
	if w.window.Canvas().Focused() == nil {
		t.Error("on the Pictures page they go nowhere")
	}
}
