package pictures

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/gui/guitest"
	"easel/gui/project"
)

// fakeEngine is an engine with one folder, in memory.
type fakeEngine struct {
	engine.Engine
	mu       sync.Mutex
	names    []string
	captions map[string]string
	crops    map[string]engine.Crop
	removed  map[string]bool
	broken   error             // of SaveCaption
	before   map[string]string // the captions before Caption
	asked    []engine.CaptionRequest
	gate     chan struct{} // where set, Caption waits for the cancel
	unsure   bool          // Caption knows nothing
}

func newFakeEngine(names ...string) *fakeEngine {
	return &fakeEngine{names: names, captions: map[string]string{}, crops: map[string]engine.Crop{}, removed: map[string]bool{}}
}

func (e *fakeEngine) Folder(string) engine.Folder { return fakeFolder{fakeEngine: e} }

func (e *fakeEngine) CheckCaption(caption, word, class string) engine.CaptionCheck {
	check := engine.CaptionCheck{Tokens: len(strings.Fields(caption)) + 2, Limit: 77}
	if word != "" && !strings.Contains(caption, word) {
		check.Issues = []engine.Issue{{Kind: engine.IssueNoWord, Text: word + " is missing"}}
	}
	return check
}

type fakeFolder struct {
	engine.Folder
	*fakeEngine
}

func (f fakeFolder) Survey(_ context.Context, _ engine.SurveyRequest, found func(engine.PictureInfo)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, name := range f.names {
		if !f.removed[name] {
			found(engine.PictureInfo{Index: i, Name: name, Usable: true, Width: 300, Height: 100, BucketWidth: 64, BucketHeight: 64,
				Caption: f.captions[name], Crop: f.crops[name]})
		}
	}
	return nil
}

func (f fakeFolder) SaveCaption(name, caption string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.captions[name] = caption
	return f.broken
}

// Caption describes each picture by its name.
func (e *fakeEngine) Caption(ctx context.Context, req engine.CaptionRequest, sink engine.Sink) (r engine.CaptionResult, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, req)
	if req.Undo {
		e.captions = maps.Clone(e.before)
		return r, nil
	}
	e.before = maps.Clone(e.captions)
	for i, name := range req.Only {
		if e.gate != nil {
			<-ctx.Done()
			return r, engine.Errorf("caption", "", engine.Cancelled, "%w", ctx.Err())
		}
		if e.unsure {
			r.Unsure++
			continue
		}
		e.captions[name] = "a zorbit " + name
		r.Written++
		sink(engine.Event{Kind: engine.KindCaption, Caption: &engine.CaptionEvent{Text: e.captions[name], Picture: i + 1, Pictures: len(req.Only)}})
	}
	return r, nil
}

func (f fakeFolder) SaveCrop(name string, crop engine.Crop) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crops[name] = crop
	return nil
}

func (f fakeFolder) Remove(names []string) error  { return f.mark(names, true) }
func (f fakeFolder) Restore(names []string) error { return f.mark(names, false) }

func (f fakeFolder) mark(names []string, removed bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range names {
		f.removed[n] = removed
	}
	return nil
}

func (e *fakeEngine) saved() map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.captions)
}

// bench is a page with a project of pictures, and Fyne's goroutine, which is the test's.
type bench struct {
	*Page
	t      *testing.T
	eng    *fakeEngine
	posted chan func()
	failed []error
	own    string // the user's captioner
}

func newBench(t *testing.T, names ...string) *bench {
	b := &bench{t: t, eng: newFakeEngine(names...), posted: make(chan func(), 1000)}
	window := test.NewTempApp(t).NewWindow("")
	p := project.New()
	b.Page = New(p, b.eng, func(f func()) { b.posted <- f }, window, Actions{Fail: func(err error) { b.failed = append(b.failed, err) },
		Captioner: func() string { return b.own }, UsualCaptioner: func() { b.own = "" }})
	window.SetContent(b.Content())
	window.Resize(fyne.NewSize(1000, 700))
	t.Cleanup(b.Close)
	p.Open("/toy", engine.Job{Word: "zorbit", Class: "toy"}, engine.Run{})
	b.until("the pictures are there", func() bool { return p.Pictures() == len(names) })
	return b
}

func (b *bench) until(what string, done func() bool) {
	b.t.Helper()
	deadline := time.After(20 * time.Second)
	for !done() {
		select {
		case f := <-b.posted:
			f()
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			b.t.Fatalf("waited in vain until %s", what)
		}
	}
}

func (b *bench) key(name fyne.KeyName) { b.grid.TypedKey(&fyne.KeyEvent{Name: name}) }

func TestKeysMoveAndSelect(t *testing.T) {
	b := newBench(t, "a", "b", "c", "d")
	b.Focus()
	wantChosen(t, b.album, "a") // the first, so that the editor shows what it does
	b.key(fyne.KeyRight)
	wantChosen(t, b.album, "b")
	b.grid.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	b.key(fyne.KeyRight)
	b.grid.KeyUp(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	wantChosen(t, b.album, "b", "c")
	b.grid.TypedShortcut(&fyne.ShortcutSelectAll{})
	wantChosen(t, b.album, "a", "b", "c", "d")
	b.key(fyne.KeyEscape)
	wantChosen(t, b.album)
}

func TestMouseSelectsWithShiftAndCtrl(t *testing.T) {
	b := newBench(t, "a", "b", "c", "d")
	press := func(name string, modifier fyne.KeyModifier) {
		tile := newTile(b.press)
		tile.show(engine.PictureInfo{Name: name}, nil, false, false)
		tile.MouseDown(&desktop.MouseEvent{Modifier: modifier})
	}
	press("b", 0)
	press("d", fyne.KeyModifierShift)
	wantChosen(t, b.album, "b", "c", "d")
	press("c", fyne.KeyModifierControl)
	wantChosen(t, b.album, "b", "d")
	if b.window.Canvas().Focused() != fyne.Focusable(b.grid) {
		t.Error("the keys do not go to the pictures")
	}
}

func TestWithoutPicturesThePageSaysWhatToDo(t *testing.T) {
	b := newBench(t, "a")
	if b.empty.Visible() {
		t.Error("it says so with pictures")
	}
	b.removeSelected()
	b.until("it is gone", func() bool { return len(b.album.pictures) == 0 })
	guitest.WantText(t, b.Content(), "Drop pictures, a folder or a ZIP")
	if !b.empty.Visible() {
		t.Error("it says nothing")
	}
}

func TestDeleteAndUndo(t *testing.T) {
	b := newBench(t, "a", "b", "c")
	b.album.only("b")
	b.key(fyne.KeyDelete)
	b.until("it is gone", func() bool { return b.project.Pictures() == 2 })
	wantChosen(t, b.album, "c")
	b.Shortcut(&fyne.ShortcutUndo{})
	b.until("it is back", func() bool { return b.project.Pictures() == 3 })
	if b.album.place("b") != 1 {
		t.Errorf("it came back in place %d", b.album.place("b"))
	}
}

func TestTypingSavesTheCaption(t *testing.T) {
	b := newBench(t, "a", "b")
	b.album.only("a")
	b.selectionChanged()
	test.Type(b.editor.entry, "a zorbit toy")
	b.album.only("b") // at once, before it is written
	b.selectionChanged()
	if b.editor.entry.Text != "" {
		t.Errorf("the other picture's caption is %q", b.editor.entry.Text)
	}
	b.until("it is written", func() bool { return b.eng.saved()["a"] == "a zorbit toy" })
	if got := b.eng.saved()["b"]; got != "" {
		t.Errorf("the other picture's became %q", got)
	}
	b.album.only("a")
	b.selectionChanged()
	if b.editor.entry.Text != "a zorbit toy" {
		t.Errorf("it is shown as %q", b.editor.entry.Text)
	}
}

func TestTheCaptionIsChecked(t *testing.T) {
	b := newBench(t, "a")
	test.Type(b.editor.entry, "a photo")
	b.until("it is checked", func() bool { return len(b.editor.remarks.Objects) == 1 && b.editor.tokens.Text == "4 of 77 tokens" })
	b.project.Edit(func(j *engine.Job) { j.Word = "photo" })
	b.until("it is checked by the new word", func() bool { return len(b.editor.remarks.Objects) == 0 })
}

func TestACaptionThatCannotBeWrittenIsTold(t *testing.T) {
	b := newBench(t, "a")
	b.eng.mu.Lock()
	b.eng.broken = errors.New("the disk is full")
	b.eng.mu.Unlock()
	test.Type(b.editor.entry, "x")
	b.until("it is told", func() bool { return len(b.failed) > 0 })
}

func TestManyCaptionsChangeAndComeBack(t *testing.T) {
	b := newBench(t, "a", "b", "c")
	for _, name := range []string{"a", "b"} {
		b.setCaption(name, "a cat")
	}
	b.until("they are written", func() bool { return len(b.eng.saved()) == 2 })
	if n := b.editCaptions(b.targets(false), edit{find: "cat", replace: "dog"}); n != 2 {
		t.Errorf("%d captions changed", n)
	}
	if got := b.targets(true); len(got) != 1 || got[0] != "c" {
		t.Errorf("without a caption: %q", got)
	}
	b.until("they are written", func() bool { return b.eng.saved()["b"] == "a dog" })
	b.undoLast()
	b.until("they are back", func() bool { info, _ := b.album.get("b"); return info.Caption == "a cat" })
	b.until("the editor shows it", func() bool { return b.editor.entry.Text == "a cat" })
}

func TestCaptionsAreWrittenForAll(t *testing.T) {
	b := newBench(t, "a", "b", "c")
	b.setCaption("a", "mine")
	b.showAuto()
	dialog := b.window.Canvas().Overlays().Top()
	guitest.WantText(t, dialog, "3 pictures are looked at")
	guitest.Tap(t, dialog, "Write")
	b.until("it is said", func() bool {
		return strings.Contains(guitest.Text(b.window.Canvas().Overlays().Top()), "3 captions were written.")
	})
	want := engine.CaptionRequest{Images: b.project.Images(), Only: []string{"a", "b", "c"}, Mode: "fill", Word: "zorbit", Class: "toy"}
	if diff := cmp.Diff([]engine.CaptionRequest{want}, b.eng.asked); diff != "" {
		t.Error(diff)
	}
	b.until("the editor shows it", func() bool { return b.editor.entry.Text == "a zorbit a" })
	guitest.Tap(t, b.window.Canvas().Overlays().Top(), "Close")
	b.undoLast()
	b.until("it is as it was", func() bool { return b.editor.entry.Text == "mine" })
}

func TestWritingCaptionsCanBeCancelled(t *testing.T) {
	b := newBench(t, "a", "b", "c")
	b.eng.gate = make(chan struct{})
	b.album.only("b")
	b.album.toggle("c")
	b.showAuto()
	guitest.WantText(t, b.window.Canvas().Overlays().Top(), "2 pictures are looked at")
	guitest.Tap(t, b.window.Canvas().Overlays().Top(), "Write")
	guitest.Tap(t, b.window.Canvas().Overlays().Top(), "Cancel")
	b.until("it is said", func() bool {
		return strings.Contains(guitest.Text(b.window.Canvas().Overlays().Top()), "0 captions were written.")
	})
	if got := b.eng.asked[0].Only; !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("captions were asked for %q", got)
	}
	if b.undo.last() != "" {
		t.Error("there is something to undo")
	}
}

func TestCaptionsByTheUsersOwnCaptioner(t *testing.T) {
	b := newBench(t, "a")
	b.own = "/models/wd-vit-tagger-v3"
	write := func() engine.CaptionRequest {
		guitest.Tap(t, b.window.Canvas().Overlays().Top(), "Write")
		b.until("it is said", func() bool {
			return strings.Contains(guitest.Text(b.window.Canvas().Overlays().Top()), "1 caption")
		})
		guitest.Tap(t, b.window.Canvas().Overlays().Top(), "Close")
		return b.eng.asked[len(b.eng.asked)-1]
	}
	b.showAuto()
	guitest.WantText(t, b.window.Canvas().Overlays().Top(), "/models/wd-vit-tagger-v3 writes them.")
	if got := write().Model; got != "/models/wd-vit-tagger-v3" {
		t.Errorf("written by %q", got)
	}
	b.showAuto()
	guitest.Tap(t, b.window.Canvas().Overlays().Top(), "Back to the usual captioner")
	guitest.WantText(t, b.window.Canvas().Overlays().Top(), "The usual captioner writes them.")
	if got := write().Model; got != "" || b.own != "" {
		t.Errorf("written by %q, set to %q", got, b.own)
	}
}

func TestNoCaptionsWhileTraining(t *testing.T) {
	b := newBench(t, "a")
	if b.bar.words.Disabled() {
		t.Error("captions cannot be written")
	}
	b.project.SetState(project.Training)
	if !b.bar.words.Disabled() {
		t.Error("captions can be asked for while training")
	}
}

func TestDraggingTheFrameIsKept(t *testing.T) {
	b := newBench(t, "a")
	v := b.editor.crop
	_, _, room := v.part()
	if room.Width < 10 || room.Height != 0 {
		t.Fatalf("the frame can move by %v", room)
	}
	v.Dragged(&fyne.DragEvent{Dragged: fyne.Delta{DX: -1000, DY: 50}})
	v.DragEnd()
	kept := func() engine.Crop {
		b.eng.mu.Lock()
		defer b.eng.mu.Unlock()
		return b.eng.crops["a"]
	}
	b.until("it is written", func() bool { return kept() == engine.Crop{X: -1} })
	at, size, _ := v.part()
	if origin, _ := v.shown(); at != origin || size.Width != size.Height {
		t.Errorf("the frame is at %v, %v large", at, size)
	}
	b.undoLast()
	b.until("it is back", func() bool { return kept() == engine.Crop{} && v.info.Crop == engine.Crop{} })
}

func TestThumbnailsInMemoryAreBounded(t *testing.T) {
	th := newThumbs(func(f func()) { f() })
	for i := range 3 * keptTiles {
		th.keep(source{fmt.Sprint(i), 1}, nil)
	}
	if len(th.kept) != keptTiles || th.order.Len() != keptTiles {
		t.Errorf("%d are kept", len(th.kept))
	}
	if th.get(source{fmt.Sprint(3*keptTiles - 1), 1}, nil) != nil {
		t.Error("the newest has pixels from nowhere")
	}
}

// TestThumbnailsAreAsLargeAsShown: two hundred that are larger fill the memory with what nobody sees.
func TestThumbnailsAreAsLargeAsShown(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jpg")
	var file bytes.Buffer
	if err := jpeg.Encode(&file, image.NewGray(image.Rect(0, 0, engine.ThumbnailSide, engine.ThumbnailSide)), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, scale := range []float32{1, 2} {
		arrived := make(chan *image.RGBA, 1)
		th := newThumbs(func(f func()) { f() })
		th.get(source{path, tilePixels(scale)}, func(pixels *image.RGBA) { arrived <- pixels })
		if side := (<-arrived).Rect.Dx(); side != int(tileSide*scale) {
			t.Errorf("at scale %v it has %d pixels", scale, side)
		}
	}
}

func TestWhatWantsALookIsFound(t *testing.T) {
	b := newBench(t, "a", "b", "c", "d")
	for _, name := range []string{"b", "d"} {
		b.album.change(name, func(info *engine.PictureInfo) { info.Issues = []engine.Issue{{Kind: engine.IssueBlurred}} })
	}
	b.changed()
	if b.bar.attention.Hidden || b.bar.attention.Text != "2 want a look" {
		t.Errorf("it says %q", b.bar.attention.Text)
	}
	for _, want := range []string{"b", "d", "b"} {
		b.bar.attention.OnTapped()
		wantChosen(t, b.album, want)
	}
}

func TestTheWindowGetsKeysThatThePicturesDoNotTake(t *testing.T) {
	b := newBench(t, "a")
	b.Focus()
	var got []fyne.KeyName
	b.window.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) { got = append(got, e.Name) })
	for range 2 {
		b.key(fyne.KeyEscape) // the first ends the selection
	}
	b.key(fyne.KeyF1)
	if diff := cmp.Diff([]fyne.KeyName{fyne.KeyEscape, fyne.KeyF1}, got); diff != "" {
		t.Error(diff)
	}
}

func TestACaptionerThatKnowsNothingSaysWhatToDo(t *testing.T) {
	b := newBench(t, "a")
	b.project.Edit(func(j *engine.Job) { j.Word = "" })
	b.eng.unsure = true
	b.showAuto()
	guitest.WantText(t, b.window.Canvas().Overlays().Top(), "no word yet")
	guitest.Tap(t, b.window.Canvas().Overlays().Top(), "Write")
	b.until("it is said", func() bool {
		return strings.Contains(guitest.Text(b.window.Canvas().Overlays().Top()), "has written nothing")
	})
}
