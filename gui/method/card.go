package method

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/post"
	"easel/gui/speech"
	"easel/gui/terms"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// card shows a method: what it updates, what it costs, what it is good at and what it may harm. Space or a click chooses
// it.
type card struct {
	widget.BaseWidget
	info     engine.MethodInfo
	choose   func()
	post     post.Func
	pipeline *widgets.Pipeline
	costs    *widget.Label
	tick     *widget.Icon
	frame    *canvas.Rectangle
	content  fyne.CanvasObject
	marked   bool
	focused  bool
	over     bool // the pointer is on it
	last     fyne.Position
}

var (
	_ fyne.Tappable     = (*card)(nil)
	_ fyne.Draggable    = (*card)(nil)
	_ fyne.Focusable    = (*card)(nil)
	_ desktop.Hoverable = (*card)(nil)
)

func newCard(info engine.MethodInfo, run post.Func, choose func()) *card {
	c := &card{info: info, choose: choose, post: run, pipeline: widgets.NewPipeline(info.Element, run), costs: widgets.Quiet(""),
		tick: widget.NewIcon(fynetheme.RadioButtonIcon()), frame: canvas.NewRectangle(nil)}
	heading := widgets.Heading(info.Title)
	heading.Wrapping = fyne.TextWrapWord
	title := terms.Explain(heading, info.Title)
	if title, ok := title.(*widgets.Explained); ok { // takes the pointer from the card
		title.Below = c
	}
	about := func(mark, text string) fyne.CanvasObject {
		icon := widget.NewIcon(theme.Icon(mark))
		label := widgets.Wrapped(widgets.Sentence(text))
		label.SizeName = fynetheme.SizeNameCaptionText
		return container.NewBorder(nil, nil, container.NewVBox(container.NewGridWrap(fyne.NewSize(16, 34), icon)), nil, label)
	}
	updates := widgets.Wrapped(fmt.Sprintf(lang.L("Changes %s."), info.Updates))
	phase := widgets.Wrapped("")
	phase.Importance = widget.HighImportance
	phase.Hide()
	c.pipeline.PhaseChanged = func(i int) { // in place of what the method changes
		if i < 0 {
			phase.Hide()
			updates.Show()
			return
		}
		phase.SetText(lang.L(widgets.Phases[i]))
		updates.Hide()
		phase.Show()
	}
	c.content = container.NewVBox(container.NewBorder(nil, nil, c.tick, nil, title), container.NewPadded(c.pipeline), container.New(inPlace{}, updates, phase),
		about("check", info.Good), about("warning", info.Harm), c.costs)
	c.ExtendBaseWidget(c)
	return c
}

// mark shows whether the card is the one that is chosen.
func (c *card) mark(on bool) {
	if c.marked == on {
		return
	}
	c.marked = on
	c.tick.SetResource(fynetheme.RadioButtonIcon())
	if on {
		c.tick.SetResource(fynetheme.NewPrimaryThemedResource(fynetheme.RadioButtonCheckedIcon()))
	}
	c.Refresh()
}

// price shows what the method costs here.
func (c *card) price(cost engine.MethodCost) {
	if cost.Problem != "" {
		c.costs.SetText(fmt.Sprintf(lang.L("Not possible here: %s."), speech.Of(cost.Problem)))
		return
	}
	c.costs.SetText(fmt.Sprintf(lang.L("Trains %s numbers, takes %s of memory, writes a file of %s."), widgets.Count(cost.Parameters), widgets.Bytes(cost.Peak), widgets.Bytes(cost.FileBytes)))
}

// Tapped implements fyne.Tappable.
func (c *card) Tapped(*fyne.PointEvent) { c.choose() }

// Dragged implements fyne.Draggable: a click that slips is a click, as in widgets.Steady.
func (c *card) Dragged(e *fyne.DragEvent) { c.last = e.Position }

// DragEnd implements fyne.Draggable.
func (c *card) DragEnd() {
	if s := c.Size(); c.last.X >= 0 && c.last.Y >= 0 && c.last.X < s.Width && c.last.Y < s.Height {
		c.choose()
	}
}

// MouseIn implements desktop.Hoverable.
func (c *card) MouseIn(*desktop.MouseEvent) {
	c.over = true
	c.pipeline.Play()
}

// MouseMoved implements desktop.Hoverable.
func (c *card) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable. Between the card and its title the pointer leaves and comes back at once.
func (c *card) MouseOut() {
	c.over = false
	c.post(func() {
		if !c.over && !c.focused {
			c.pipeline.Rest()
		}
	})
}

// FocusGained implements fyne.Focusable: keys see what the pointer sees.
func (c *card) FocusGained() {
	c.focused = true
	c.pipeline.Play()
	c.Refresh()
}

// FocusLost implements fyne.Focusable.
func (c *card) FocusLost() {
	c.focused = false
	if !c.over {
		c.pipeline.Rest()
	}
	c.Refresh()
}

// TypedRune implements fyne.Focusable.
func (c *card) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (c *card) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeySpace || e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter {
		c.choose()
		return
	}
	widgets.PassKey(c, e)
}

// CreateRenderer implements fyne.Widget.
func (c *card) CreateRenderer() fyne.WidgetRenderer {
	c.paint()
	return &cardRenderer{widget.NewSimpleRenderer(container.NewStack(c.frame, container.NewPadded(container.NewPadded(c.content)))), c}
}

type cardRenderer struct {
	fyne.WidgetRenderer
	c *card
}

// Refresh implements fyne.WidgetRenderer.
func (r *cardRenderer) Refresh() {
	r.c.paint()
	r.WidgetRenderer.Refresh()
}

func (c *card) paint() {
	c.frame.FillColor, c.frame.CornerRadius = fynetheme.Color(fynetheme.ColorNameInputBackground), 8
	c.frame.StrokeColor, c.frame.StrokeWidth = fynetheme.Color(fynetheme.ColorNameSeparator), 1
	if c.marked {
		c.frame.StrokeColor, c.frame.StrokeWidth = fynetheme.Color(fynetheme.ColorNamePrimary), 2
	}
	if c.focused {
		c.frame.StrokeColor, c.frame.StrokeWidth = fynetheme.Color(fynetheme.ColorNameForeground), 2
	}
}

// inPlace lays objects into one place that has room for each, hidden ones too: nothing around moves when they take turns.
type inPlace struct{}

// Layout implements fyne.Layout.
func (inPlace) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Resize(size)
	}
}

// MinSize implements fyne.Layout.
func (inPlace) MinSize(objects []fyne.CanvasObject) (size fyne.Size) {
	for _, o := range objects {
		size = size.Max(o.MinSize())
	}
	return size
}

// cardLayout lays cards of one height beside each other, as many as have room.
type cardLayout struct{}

// The widths of cards: the least with text of the usual size, and the most.
const (
	leastCard = 232
	mostCard  = 440
)

// cardWidth is the least width of a card. A quarter of what text grows by is enough: words are short.
func cardWidth() float32 { return leastCard * (3 + widgets.TextScale()) / 4 }

// columns are as many as have room, or fewer where that fills the rows better.
func (cardLayout) columns(width float32, n int) int {
	most := max(1, min(n, int((width+theme.Near)/(cardWidth()+theme.Near))))
	rows := (n + most - 1) / most
	return (n + rows - 1) / rows
}

// Layout implements fyne.Layout.
func (l cardLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	if len(objects) == 0 {
		return
	}
	n := l.columns(size.Width, len(objects))
	width := min((size.Width-theme.Near*float32(n-1))/float32(n), mostCard)
	height := float32(0)
	for _, o := range objects { // their texts wrap at this width
		o.Resize(fyne.NewSize(width, o.Size().Height))
		height = max(height, o.MinSize().Height)
	}
	for i, o := range objects {
		o.Move(fyne.NewPos(float32(i%n)*(width+theme.Near), float32(i/n)*(height+theme.Near)))
		o.Resize(fyne.NewSize(width, height))
	}
}

// MinSize implements fyne.Layout.
func (l cardLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(cardWidth(), 0)
	if len(objects) == 0 {
		return size
	}
	height := float32(0)
	for _, o := range objects {
		height = max(height, o.MinSize().Height)
	}
	n := 1
	if w := objects[0].Size().Width; w > 0 { // laid out once: as many columns as then
		for n < len(objects) && objects[n].Position().Y == objects[0].Position().Y {
			n++
		}
	}
	rows := (len(objects) + n - 1) / n
	size.Height = float32(rows)*(height+theme.Near) - theme.Near
	return size
}
