package widgets

import (
	"math"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/post"
)

// Pipeline is the living picture of training: the prompt is embedded, noise is added to the picture, the network predicts
// it, prediction and noise are compared, and the loss updates one element, which is lit. Play
// goes through these phases once; at rest it takes no time.
type Pipeline struct {
	widget.BaseWidget
	// PhaseChanged is called when another phase is shown, -1 for rest; it may be nil.
	PhaseChanged func(phase int)

	element engine.Element // engine.Weights, ...
	phase   int            // -1 at rest
	post    post.Func
	stop    chan struct{} // ends the walk in progress
}

// Phases are what happens in a training step, in order.
var Phases = []string{
	"The prompt becomes numbers.",
	"Noise is added to the picture: much or little, by chance.",
	"The U-Net guesses the noise, told by the prompt what it sees.",
	"Guess and noise are compared: the difference is the loss.",
	"What is lit is changed a little, so that the loss gets smaller.",
}

// phaseTime is long enough to read a phase.
const phaseTime = 1500 * time.Millisecond

// NewPipeline makes the picture of a method that updates element.
func NewPipeline(element engine.Element, run post.Func) *Pipeline {
	p := &Pipeline{element: element, phase: -1, post: run}
	p.ExtendBaseWidget(p)
	return p
}

// SetElement lights another element.
func (p *Pipeline) SetElement(element engine.Element) {
	p.element = element
	p.Refresh()
}

// Element is the one that is lit.
func (p *Pipeline) Element() engine.Element { return p.element }

// Phase is the index into Phases of what is shown, -1 at rest.
func (p *Pipeline) Phase() int { return p.phase }

// SetPhase shows a phase; -1 is rest.
func (p *Pipeline) SetPhase(phase int) {
	p.phase = phase
	p.Refresh()
	if p.PhaseChanged != nil {
		p.PhaseChanged(phase)
	}
}

// Play walks through the phases once.
func (p *Pipeline) Play() {
	if p.stop != nil {
		return
	}
	stop := make(chan struct{})
	p.stop = stop
	p.SetPhase(0)
	go func() { // off Fyne's goroutine until post
		tick := time.NewTicker(phaseTime)
		defer tick.Stop()
		for phase := 1; phase <= len(Phases); phase++ {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			p.post(func() {
				switch {
				case p.stop != stop: // another walk, or none
				case phase < len(Phases):
					p.SetPhase(phase)
				default:
					p.Rest()
				}
			})
		}
	}()
}

// Rest ends a walk.
func (p *Pipeline) Rest() {
	p.halt()
	p.SetPhase(-1)
}

func (p *Pipeline) halt() {
	if p.stop != nil {
		close(p.stop)
		p.stop = nil
	}
}

// part is a box of the picture, in hundredths of its width.
type part struct {
	text       string
	x, y, w, h float32
	phase      int            // in which it is at work
	element    engine.Element // that it is
}

// pictureHeight is in the same unit.
const pictureHeight = 62

// parts of the picture that all methods have.
var parts = []part{
	{"prompt", 1, 7, 18, 10, 0, ""},
	{"word", 20, 7, 13, 10, 0, engine.WordEmbedding},
	{"text encoder", 40, 7, 28, 10, 0, ""},
	{"picture", 2, 27, 17, 14, 1, ""},
	{"noisy", 27, 27, 15, 14, 1, ""},
	{"noise", 27, 48, 15, 9, 1, ""},
	{"U-Net", 50, 25, 20, 18, 2, engine.Weights},
	{"loss", 79, 27, 16, 14, 3, ""},
}

// added parts are those of one method.
var added = map[engine.Element][]part{
	engine.InsertedLayers: {{"added layers", 45, 48, 30, 9, 2, engine.InsertedLayers}},
	engine.Generator:      {{"layers", 48, 48, 16, 9, 2, ""}, {"2nd network", 70, 47.5, 27, 9.5, 2, engine.Generator}},
}

// path is an arrow, through points.
type path struct {
	points []float32 // x, y, x, y, ...
	phase  int
}

var paths = []path{
	{[]float32{33, 12, 40, 12}, 0},
	{[]float32{60, 17, 60, 25}, 2},
	{[]float32{19, 34, 27, 34}, 1},
	{[]float32{34.5, 48, 34.5, 41}, 1},
	{[]float32{42, 34, 50, 34}, 2},
	{[]float32{70, 34, 79, 34}, 3},
	{[]float32{34.5, 57, 34.5, 60.5, 98, 60.5, 98, 34, 95, 34}, 3},
}

var addedPaths = map[engine.Element][]path{
	engine.InsertedLayers: {{[]float32{60, 48, 60, 43}, 2}},
	engine.Generator:      {{[]float32{57, 48, 57, 43}, 2}, {[]float32{70, 52.5, 64, 52.5}, 2}},
}

// feedback is the way from the loss to what it updates.
var feedback = map[engine.Element][]float32{
	engine.Weights:        {87, 27, 87, 21, 66, 21, 66, 25},
	engine.WordEmbedding:  {87, 27, 87, 2, 26.5, 2, 26.5, 7},
	engine.InsertedLayers: {87, 41, 87, 52.5, 75, 52.5},
	engine.Generator:      {87, 41, 87, 47.5},
}

// CreateRenderer implements fyne.Widget.
func (p *Pipeline) CreateRenderer() fyne.WidgetRenderer {
	r := &pipelineRenderer{p: p}
	r.Refresh()
	return r
}

type pipelineRenderer struct {
	p       *Pipeline
	element engine.Element // for which the objects were made
	boxes   []pipelineBox
	arrows  []pipelineArrow
	objects []fyne.CanvasObject
}

type pipelineBox struct {
	part
	plate *canvas.Rectangle
	text  *canvas.Text
}

type pipelineArrow struct {
	path
	lines []*canvas.Line // a line for each leg, then two for the head
}

// The widths of a picture that can be read, and of one that takes no more room than it is worth.
const (
	leastPicture = 220
	mostPicture  = 320
)

// MinSize has the height that suits the width.
func (r *pipelineRenderer) MinSize() fyne.Size {
	return fyne.NewSize(leastPicture, min(max(r.p.Size().Width, leastPicture), mostPicture)*pictureHeight/100)
}

// build makes the objects of the present element.
func (r *pipelineRenderer) build() {
	r.element, r.boxes, r.arrows, r.objects = r.p.element, nil, nil, nil
	all := append(append([]path{}, paths...), addedPaths[r.element]...)
	all = append(all, path{feedback[r.element], len(Phases) - 1})
	for _, p := range all {
		a := pipelineArrow{path: p}
		for range len(p.points)/2 + 1 {
			line := canvas.NewLine(nil)
			a.lines = append(a.lines, line)
			r.objects = append(r.objects, line)
		}
		r.arrows = append(r.arrows, a)
	}
	for _, p := range append(append([]part{}, parts...), added[r.element]...) {
		b := pipelineBox{p, canvas.NewRectangle(nil), canvas.NewText(lang.L(p.text), nil)}
		b.text.Alignment = fyne.TextAlignCenter
		r.boxes = append(r.boxes, b)
		r.objects = append(r.objects, b.plate, b.text)
	}
}

func (r *pipelineRenderer) Layout(size fyne.Size) {
	unit := min(size.Width/100, size.Height/pictureHeight)
	left, top := (size.Width-100*unit)/2, (size.Height-pictureHeight*unit)/2
	at := func(x, y float32) fyne.Position { return fyne.NewPos(left+x*unit, top+y*unit) }
	for _, b := range r.boxes {
		b.plate.Move(at(b.x, b.y))
		b.plate.Resize(fyne.NewSize(b.w*unit, b.h*unit))
		b.text.TextSize = min(3.7*unit, theme.TextSize())
		if wide, most := b.text.MinSize().Width, b.w*unit-4; wide > most { // in other languages words are longer
			b.text.TextSize *= most / wide
		}
		text := b.text.MinSize()
		b.text.Move(at(b.x, b.y).AddXY(0, (b.h*unit-text.Height)/2))
		b.text.Resize(fyne.NewSize(b.w*unit, text.Height))
	}
	for _, a := range r.arrows {
		a.layout(at, unit)
	}
}

// layout draws the legs and, at their end, the head.
func (a pipelineArrow) layout(at func(x, y float32) fyne.Position, unit float32) {
	n := len(a.points) / 2
	if n < 2 {
		return
	}
	point := func(i int) fyne.Position { return at(a.points[2*i], a.points[2*i+1]) }
	for i := range n - 1 {
		a.lines[i].Position1, a.lines[i].Position2 = point(i), point(i+1)
	}
	end, before := point(n-1), point(n-2)
	angle := math.Atan2(float64(end.Y-before.Y), float64(end.X-before.X))
	for k, turn := range []float64{2.6, -2.6} {
		tip := end.AddXY(2.6*unit*float32(math.Cos(angle+turn)), 2.6*unit*float32(math.Sin(angle+turn)))
		a.lines[n-1+k].Position1, a.lines[n-1+k].Position2 = end, tip
	}
}

func (r *pipelineRenderer) Refresh() {
	if r.objects == nil || r.element != r.p.element {
		r.build()
	}
	for _, b := range r.boxes {
		lit, atWork := b.element != "" && b.element == r.element, b.phase == r.p.phase
		fill, text := theme.Color(theme.ColorNameBackground), theme.Color(theme.ColorNameForeground)
		b.plate.StrokeColor, b.plate.StrokeWidth, b.plate.CornerRadius = theme.Color(theme.ColorNameDisabled), 1, 4
		if atWork {
			b.plate.StrokeColor, b.plate.StrokeWidth = theme.Color(theme.ColorNamePrimary), 2
		}
		if lit {
			fill, text = theme.Color(theme.ColorNamePrimary), theme.Color(theme.ColorNameForegroundOnPrimary)
			b.plate.StrokeColor, b.plate.StrokeWidth = theme.Color(theme.ColorNameForeground), 2
		}
		b.plate.FillColor, b.text.Color, b.text.TextStyle.Bold = fill, text, lit
	}
	for i, a := range r.arrows {
		back := i == len(r.arrows)-1
		for _, line := range a.lines {
			line.StrokeColor, line.StrokeWidth = theme.Color(theme.ColorNameDisabled), 1.5
			if back || a.phase == r.p.phase {
				line.StrokeColor = theme.Color(theme.ColorNamePrimary)
			}
			if a.phase == r.p.phase {
				line.StrokeWidth = 3
			}
		}
	}
	r.Layout(r.p.Size())
	canvas.Refresh(r.p)
}

func (r *pipelineRenderer) Objects() []fyne.CanvasObject { return r.objects }

func (r *pipelineRenderer) Destroy() { r.p.halt() }
