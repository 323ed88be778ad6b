package widgets_test

import (
	"fmt"
	"image"
	"image/color"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"easel/engine"
	"easel/gui/guitest"
	"easel/gui/widgets"
)

func plain(c color.Color) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 100, 100))
	for i := range 100 * 100 {
		m.Set(i%100, i/100, c)
	}
	return m
}

var red, green = color.RGBA{200, 0, 0, 255}, color.RGBA{0, 200, 0, 255}

func TestCompareShowsBothSidesOfItsDivider(t *testing.T) {
	test.NewTempApp(t)
	c := widgets.NewCompare("before", "after")
	w := test.NewTempWindow(t, c)
	w.Resize(fyne.NewSize(408, 408))
	if c.Shown() != nil {
		t.Error("something is shown without pictures")
	}
	c.SetPictures(plain(red), plain(green))
	look := func(what string, left, right color.RGBA) {
		t.Helper()
		if l, r := c.Shown().RGBAAt(20, 50), c.Shown().RGBAAt(80, 50); l != left || r != right {
			t.Errorf("%s: left is %v and right %v", what, l, r)
		}
	}
	key := func(name fyne.KeyName) { c.TypedKey(&fyne.KeyEvent{Name: name}) }
	look("at first", red, green)
	key(fyne.KeyHome)
	look("Home", green, green)
	key(fyne.KeySpace)
	look("Space", red, red)
	key(fyne.KeySpace)
	look("Space again", green, green)
	c.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(c.Size().Width*0.9, 50)}})
	look("dragged", red, red)
	key(fyne.KeyEnd)
	if c.Divider() != 1 {
		t.Errorf("End leaves the divider at %g", c.Divider())
	}
	key(fyne.KeyLeft)
	if d := c.Divider(); d < 0.94 || d > 0.96 {
		t.Errorf("← leaves the divider at %g", d)
	}
	var other fyne.KeyName
	c.OnKey = func(name fyne.KeyName) { other = name }
	key(fyne.KeyEscape)
	if other != fyne.KeyEscape {
		t.Error("other keys are not passed on")
	}
}

func TestPlotDrawsItsValues(t *testing.T) {
	test.NewTempApp(t)
	p := widgets.NewPlot()
	w := test.NewTempWindow(t, p)
	w.Resize(fyne.NewSize(400, 200))
	empty := w.Canvas().Capture()
	var points []widgets.Point
	for i := range 5000 {
		points = append(points, widgets.Point{X: float64(i + 1), Y: 1 / float64(i+10)})
	}
	start := time.Now()
	p.SetPoints(points, 5000)
	full := w.Canvas().Capture()
	if spent := time.Since(start); spent > 2*time.Second {
		t.Errorf("5000 points take %v", spent)
	}
	if p.Reading() == "" || len(p.Reading()) < 10 {
		t.Errorf("the reading is %q", p.Reading())
	}
	changed := 0
	for y := range 200 {
		for x := range 400 {
			if empty.At(x, y) != full.At(x, y) {
				changed++
			}
		}
	}
	if changed < 500 {
		t.Errorf("drawing changes %d pixels", changed)
	}
	p.SetPoints(points[:1], 5000) // one point, and then none, must not fail
	p.SetPoints(nil, 0)
	w.Canvas().Capture()
}

func TestGridKeepsTheNewestRowInSight(t *testing.T) {
	test.NewTempApp(t)
	g := widgets.NewGrid(guitest.NewQueue().Post)
	w := test.NewTempWindow(t, g)
	w.Resize(fyne.NewSize(700, 600))
	columns := []string{"one", "two", "three", "four"} // so many that their size stays
	seen := func(step int) {
		t.Helper()
		w.Canvas().Capture()
		guitest.WantText(t, g, fmt.Sprintf("Step %d", step))
		for _, p := range guitest.Find[*canvas.Image](g) {
			if low := fyne.CurrentApp().Driver().AbsolutePositionForObject(p).Y + p.Size().Height; low > w.Canvas().Size().Height {
				t.Errorf("step %d: the newest row ends at %g of %g", step, low, w.Canvas().Size().Height)
				break
			}
		}
	}
	rows := []widgets.GridRow{{Step: 0}}
	for step := 1; step < 7; step++ {
		rows = append(rows, widgets.GridRow{Step: step})
		g.SetRows(columns, rows, -1)
		seen(step)
	}
	w.Resize(fyne.NewSize(700, 500)) // as when a text comes above
	seen(6)
}

func TestGridShowsAColumnThatWasAdded(t *testing.T) {
	test.NewTempApp(t)
	g := widgets.NewGrid(guitest.NewQueue().Post)
	w := test.NewTempWindow(t, g)
	w.Resize(fyne.NewSize(700, 600))
	columns := []string{"one", "two", "three", "four"}
	rows := []widgets.GridRow{{Step: 0}, {Step: 10}, {Step: 20}}
	seen := func(prompt string) bool {
		w.Canvas().Capture()
		for _, l := range guitest.Find[*widget.Label](g) {
			if left := fyne.CurrentApp().Driver().AbsolutePositionForObject(l).X; l.Text == prompt && left > 0 && left+l.Size().Width <= 700 {
				return true
			}
		}
		return false
	}
	g.SetRows(columns, rows, -1)
	if !seen("one") || !seen("four") {
		t.Fatal("four columns do not fit")
	}
	columns = append(columns, "five", "six", "seven")
	g.SetRows(columns, rows, -1)
	if !seen("seven") {
		t.Error("the new column is out of sight")
	}
	g.SetRows(columns, append(rows, widgets.GridRow{Step: 30}), -1)
	if !seen("seven") {
		t.Error("a new row has scrolled it away")
	}
	guitest.WantText(t, g, "Step 30")
	g.SetRows(nil, nil, -1) // another run
	g.SetRows(columns, rows, -1)
	if !seen("one") {
		t.Error("another run begins at the right")
	}
}

func TestGridAsksForAnotherPrompt(t *testing.T) {
	test.NewTempApp(t)
	g := widgets.NewGrid(guitest.NewQueue().Post)
	w := test.NewTempWindow(t, g)
	w.Resize(fyne.NewSize(700, 600))
	var asked []int
	g.Reword = func(column int) { asked = append(asked, column) }
	g.SetRows([]string{"one", "two"}, []widgets.GridRow{{Step: 0}}, -1)
	type head interface {
		fyne.CanvasObject
		fyne.Tappable
		desktop.Cursorable
		fyne.Focusable
	}
	heads := guitest.Find[head](g)
	if len(heads) < 2 {
		t.Fatalf("of the prompts %d can be changed", len(heads))
	}
	for _, h := range heads {
		if h.Cursor() == desktop.PointerCursor {
			h.Tapped(&fyne.PointEvent{})
			h.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
		}
	}
	if diff := cmp.Diff([]int{0, 0, 1, 1}, asked); diff != "" {
		t.Error(diff)
	}
}

func TestGridReadsWhatIsInSight(t *testing.T) {
	test.NewTempApp(t)
	dir := t.TempDir()
	queue := guitest.NewQueue()
	g := widgets.NewGrid(queue.Post)
	w := test.NewTempWindow(t, g)
	w.Resize(fyne.NewSize(700, 500))
	picture := guitest.Picture(t, dir, "a.png", 32, color.NRGBA{90, 180, 20, 255})
	var rows []widgets.GridRow
	for step := range 200 {
		rows = append(rows, widgets.GridRow{Step: step * 10, Pictures: []string{picture, "/nowhere.png"}})
	}
	g.SetRows([]string{"one", "two", "three"}, rows[:199], 20)
	w.Canvas().Capture()
	g.SetRows([]string{"one", "two", "three"}, rows, 20)
	queue.Until(t, "the pictures", func() bool { w.Canvas().Capture(); return len(queue) == 0 })
	guitest.WantText(t, g, "one", "two", "three", "Before", "Step 1990")
	if cells := len(guitest.Find[*canvas.Image](g)); cells > 60 {
		t.Errorf("%d pictures are made for 600 cells", cells)
	}
	opened := [2]int{-1, -1}
	g.Open = func(row, column int) { opened = [2]int{row, column} }
	test.TapCanvas(w.Canvas(), fyne.NewPos(180, 120))
	if opened != [2]int{0, 0} {
		t.Errorf("a tap on the first picture opens %v", opened)
	}
}

func TestAClickThatSlipsCounts(t *testing.T) {
	test.NewTempApp(t)
	tapped := 0
	b := widgets.NewSteady("go", nil, func() { tapped++ })
	w := test.NewTempWindow(t, b)
	w.Resize(fyne.NewSize(100, 50))
	slip := func(x float32) {
		b.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x, 10)}})
		b.DragEnd()
	}
	slip(13)
	if tapped != 1 {
		t.Error("a click that slips is lost")
	}
	slip(500)
	if tapped != 1 {
		t.Error("a drag to elsewhere is a click")
	}
}

func TestThePipelineWalksOnceAndRests(t *testing.T) {
	test.NewTempApp(t)
	queue := guitest.NewQueue()
	p := widgets.NewPipeline(engine.Weights, queue.Post)
	w := test.NewTempWindow(t, p)
	w.Resize(fyne.NewSize(300, 200))
	for _, e := range []engine.Element{engine.WordEmbedding, engine.InsertedLayers, engine.Generator, "", "unheard of"} {
		p.SetElement(e)
		w.Canvas().Capture()
	}
	p.Play()
	if p.Phase() != 0 {
		t.Errorf("it begins with phase %d", p.Phase())
	}
	queue.Until(t, "the second phase", func() bool { return p.Phase() == 1 })
	p.Rest()
	if p.Phase() != -1 {
		t.Errorf("at rest it is in phase %d", p.Phase())
	}
	time.Sleep(20 * time.Millisecond)
	if len(queue) != 0 {
		t.Error("at rest it still changes")
	}
}

func TestAnEntryLeavesTheWindowItsKeys(t *testing.T) {
	test.NewTempApp(t)
	e := widgets.NewEntry(false)
	w := test.NewTempWindow(t, e)
	var got []string
	w.Canvas().SetOnTypedKey(func(k *fyne.KeyEvent) { got = append(got, string(k.Name)) })
	page := &desktop.CustomShortcut{KeyName: fyne.Key2, Modifier: fyne.KeyModifierControl}
	w.Canvas().AddShortcut(page, func(s fyne.Shortcut) { got = append(got, s.ShortcutName()) })
	w.Canvas().Focus(e)
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyF1})
	e.TypedShortcut(page)
	if diff := cmp.Diff([]string{"Escape", "F1", page.ShortcutName()}, got); diff != "" {
		t.Error(diff)
	}
	test.Type(e, "a cat")
	e.TypedShortcut(&fyne.ShortcutSelectAll{})
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyBackspace})
	if e.Text != "" || len(got) != 3 {
		t.Errorf("it has %q left, and the window got %q", e.Text, got)
	}
}
