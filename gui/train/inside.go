package train

import (
	"fmt"
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/post"
	"easel/gui/widgets"
)

// inside shows a training step in its own pictures, and what the loss updates.
type inside struct {
	object   fyne.CanvasObject
	open     bool
	heading  *widget.Label
	caption  *widget.Label
	pictures [6]*canvas.Image
	texts    [6]*widget.Label
	pipeline *widgets.Pipeline
	updates  *widget.Label
	next     *widget.Button
	post     post.Func
	shown    int // counts views, so that pictures of an older one are left out
}

func newInside(run post.Func, next, back func()) *inside {
	s := &inside{heading: widgets.Heading(""), caption: widgets.Quiet(""), pipeline: widgets.NewPipeline("", run), updates: widgets.Quiet(""), post: run}
	cells := container.New(gallery{})
	for i := range s.pictures {
		s.pictures[i] = &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScaleFastest}
		s.pictures[i].SetMinSize(fyne.NewSquareSize(112))
		s.texts[i] = widgets.Caption("")
		s.texts[i].Wrapping, s.texts[i].Alignment = fyne.TextWrapWord, fyne.TextAlignCenter
		cells.Add(s.pictures[i])
		cells.Add(s.texts[i])
	}
	s.next = widget.NewButtonWithIcon(lang.L("Next step"), theme.MediaSkipNextIcon(), func() { s.wait(); next() })
	close := widget.NewButtonWithIcon(lang.L("Back"), theme.NavigateBackIcon(), back)
	foot := container.NewBorder(nil, nil, container.NewGridWrap(fyne.NewSize(240, 150), s.pipeline), nil, container.NewVBox(layout.NewSpacer(), s.updates, layout.NewSpacer()))
	s.object = container.NewBorder(container.NewVBox(container.NewBorder(nil, nil, close, s.next, s.heading), s.caption), foot, nil, nil, container.NewVScroll(cells)) // large text leaves little room
	return s
}

// wait says that pictures are on their way.
func (s *inside) wait() {
	s.open = true
	s.heading.SetText(lang.L("The step in progress is being finished, and painted ..."))
	s.next.Disable()
}

// show shows a view; its pictures are read off Fyne's goroutine.
func (s *inside) show(v engine.ViewEvent, method engine.MethodInfo) {
	s.open = true
	s.heading.SetText(fmt.Sprintf(lang.L("Inside step %d"), v.Step))
	s.caption.SetText(fmt.Sprintf(lang.L("The model is told: “%s”"), v.Caption))
	s.pipeline.SetElement(method.Element)
	s.pipeline.SetPhase(len(widgets.Phases) - 1)
	s.updates.SetText(fmt.Sprintf(lang.L("The guess is wrong by a loss of %.4f. To make it smaller, this step changes only: %s."), v.Loss, method.Updates))
	s.next.Enable()
	for i, text := range []string{
		lang.L("Training picture"),
		fmt.Sprintf(lang.L("Noise added: %d %% of the way"), 100*v.Timestep/max(v.Of, 1)),
		lang.L("The noise in it"),
		lang.L("The noise that the model sees"),
		lang.L("Without it: the model's guess at the picture"),
		lang.L("Where it is wrong: the brighter, the more"),
	} {
		s.texts[i].SetText(text)
	}
	s.shown++
	now := s.shown
	paths := []string{v.Clean, v.Noised, v.Noise, v.Predicted, v.Denoised, v.Error}
	go func() { // off Fyne's goroutine until post
		var read [6]image.Image
		for i, path := range paths {
			if p, err := widgets.ReadPicture(path, 384); err == nil {
				read[i] = p
			}
		}
		s.post(func() {
			if now != s.shown {
				return
			}
			for i, p := range read {
				s.pictures[i].Image = p
				s.pictures[i].Refresh()
			}
		})
	}()
}
