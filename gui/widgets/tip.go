package widgets

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/gui/post"
)

// Explained is an object that says more when the pointer rests on it, in a window whose content was made by WithTips. A
// label is underlined to tell so.
type Explained struct {
	widget.BaseWidget
	// Below is what it lies on, which hears of the pointer too; it may be nil.
	Below  desktop.Hoverable
	object fyne.CanvasObject
	text   string
}

var _ desktop.Hoverable = (*Explained)(nil)

// NewExplained makes an object that says text.
func NewExplained(object fyne.CanvasObject, text string) *Explained {
	e := &Explained{object: object, text: text}
	e.ExtendBaseWidget(e)
	return e
}

// Text is what it says.
func (e *Explained) Text() string { return e.text }

// MouseIn implements desktop.Hoverable.
func (e *Explained) MouseIn(at *desktop.MouseEvent) {
	if e.Below != nil {
		e.Below.MouseIn(at)
	}
	if t := tipOver(e); t != nil {
		t.offer(e)
	}
}

// MouseMoved implements desktop.Hoverable.
func (e *Explained) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (e *Explained) MouseOut() {
	if e.Below != nil {
		e.Below.MouseOut()
	}
	if t := tipOver(e); t != nil {
		t.withdraw()
	}
}

// CreateRenderer implements fyne.Widget.
func (e *Explained) CreateRenderer() fyne.WidgetRenderer {
	r := &explainedRenderer{e, canvas.NewLine(nil)}
	r.Refresh()
	return r
}

type explainedRenderer struct {
	e    *Explained
	line *canvas.Line
}

func (r *explainedRenderer) MinSize() fyne.Size { return r.e.object.MinSize() }

func (r *explainedRenderer) Layout(size fyne.Size) {
	r.e.object.Resize(size)
	label, ok := r.e.object.(*widget.Label)
	if r.line.Hidden = !ok; !ok {
		return
	}
	text := theme.Size(theme.SizeNameText)
	if label.SizeName != "" {
		text = theme.Size(label.SizeName)
	}
	width := fyne.MeasureText(label.Text, text, label.TextStyle).Width
	room := theme.InnerPadding()
	width = min(width, size.Width-2*room)
	x, y := room, min(size.Height, label.MinSize().Height)-room+1
	switch label.Alignment {
	case fyne.TextAlignTrailing:
		x = size.Width - room - width
	case fyne.TextAlignCenter:
		x = (size.Width - width) / 2
	}
	r.line.Position1, r.line.Position2 = fyne.NewPos(x, y), fyne.NewPos(x+max(width, 0), y)
}

func (r *explainedRenderer) Refresh() {
	r.line.StrokeColor, r.line.StrokeWidth = theme.Color(theme.ColorNameInputBorder), 1
	r.Layout(r.e.Size())
	r.e.object.Refresh()
	r.line.Refresh()
}

func (r *explainedRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.e.object, r.line}
}

func (r *explainedRenderer) Destroy() {}

// WithTips is a window's content with the layer above it on which explanations appear. Fyne's own pop-ups would take keys,
// clicks and drops meanwhile.
func WithTips(content fyne.CanvasObject, run post.Func) fyne.CanvasObject {
	t := &tip{post: run, plate: canvas.NewRectangle(nil), text: Quiet("")}
	t.ExtendBaseWidget(t)
	t.Hide()
	return container.NewStack(content, t)
}

// tip is a window's layer of explanations. It covers the window, and hears nothing.
type tip struct {
	widget.BaseWidget
	post  post.Func
	next  *Explained // that the pointer is on; nil where it is on none
	timer *time.Timer
	plate *canvas.Rectangle
	text  *widget.Label
}

// restTime is how long the pointer rests before an explanation appears.
const restTime = 400 * time.Millisecond

// tipWidth is that of an explanation in Fyne's units; a larger text's is in proportion.
const tipWidth = 300

// tipOver is the layer of the window that an object is in, nil where it has none.
func tipOver(o fyne.CanvasObject) *tip {
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if c == nil {
		return nil
	}
	content, ok := c.Content().(*fyne.Container)
	if !ok || len(content.Objects) == 0 {
		return nil
	}
	t, _ := content.Objects[len(content.Objects)-1].(*tip)
	return t
}

// offer shows what an object says in a moment, unless the pointer leaves it.
func (t *tip) offer(e *Explained) {
	t.withdraw()
	t.next = e
	t.timer = time.AfterFunc(restTime, func() {
		t.post(func() {
			if t.next == e {
				t.show(e)
			}
		})
	})
}

// withdraw shows nothing.
func (t *tip) withdraw() {
	if t.timer != nil {
		t.timer.Stop()
	}
	t.next = nil
	t.Hide()
}

// show puts what an object says below it, or above where there is no room.
func (t *tip) show(e *Explained) {
	t.text.SetText(e.text)
	t.Show() // what is hidden has no place
	window, room := t.Size(), theme.Padding()
	width := min(tipWidth*theme.Size(theme.SizeNameCaptionText)/12, window.Width-2*room)
	t.text.Resize(fyne.NewSize(width, 0)) // wrapped text knows its height when it has its width
	size := fyne.NewSize(width, t.text.MinSize().Height)
	driver := fyne.CurrentApp().Driver()
	at := driver.AbsolutePositionForObject(e).Subtract(driver.AbsolutePositionForObject(t))
	below := at.Y + e.Size().Height
	if below+size.Height > window.Height {
		below = at.Y - size.Height
	}
	place := fyne.NewPos(max(min(at.X, window.Width-size.Width-room), room), max(below, room))
	t.plate.Move(place)
	t.plate.Resize(size)
	t.text.Move(place)
	t.text.Resize(size)
	t.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (t *tip) CreateRenderer() fyne.WidgetRenderer { return &tipRenderer{t} }

type tipRenderer struct{ t *tip }

func (r *tipRenderer) MinSize() fyne.Size { return fyne.Size{} }

// Layout leaves what is shown where it is; what a window of another size would need, the next explanation has.
func (r *tipRenderer) Layout(fyne.Size) {}

func (r *tipRenderer) Refresh() {
	r.t.plate.FillColor, r.t.plate.CornerRadius = theme.Color(theme.ColorNameOverlayBackground), 6
	r.t.plate.StrokeColor, r.t.plate.StrokeWidth = theme.Color(theme.ColorNameInputBorder), 1
	r.t.plate.Refresh()
	r.t.text.Refresh()
}

func (r *tipRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.t.plate, r.t.text} }

func (r *tipRenderer) Destroy() {}
