package gui

import (
	"bytes"
	"fmt"
	"image"
	_ "image/png" // the format of samples
	"io/fs"
	"os"
	"path/filepath"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/project"
	"easel/gui/theme"
	"easel/gui/widgets"
	"easel/samples"
)

// startPage is shown while no project is open: it says what Easel does, and offers a sample to try it on.
type startPage struct {
	w       *Window
	back    *widget.Button  // to the open project
	top     *fyne.Container // holds back
	recent  *fyne.Container // what was open last
	content fyne.CanvasObject
}

func newStartPage(w *Window) *startPage {
	s := &startPage{w: w, back: widget.NewButtonWithIcon("", fynetheme.NavigateBackIcon(), w.leaveStart), recent: container.NewVBox()}
	cards := container.NewGridWithColumns(len(samples.All()))
	for _, sample := range samples.All() {
		cards.Add(s.card(sample))
	}
	s.top = container.NewHBox(s.back)
	body := container.New(layout.NewCustomPaddedVBoxLayout(theme.Normal), s.top,
		heading(lang.L("Teach a model your own subject"), fynetheme.SizeNameHeadingText),
		indented(s.steps()), indented(s.buttons()), s.recent,
		heading(lang.L("Or try it with a sample"), fynetheme.SizeNameSubHeadingText), indented(cards))
	s.update()
	s.content = container.NewVScroll(container.New(layout.NewCustomPaddedLayout(theme.Normal, theme.Normal, theme.Wide, theme.Wide), body))
	return s
}

// indented puts an object where the text of a label begins.
func indented(o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedLayout(0, 0, theme.Near, 0), o)
}

func heading(text string, size fyne.ThemeSizeName) *widget.Label {
	label := widget.NewLabelWithStyle(text, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	label.SizeName, label.Wrapping = size, fyne.TextWrapWord
	return label
}

// steps tell in three lines what will happen.
func (s *startPage) steps() fyne.CanvasObject {
	lines := container.NewVBox()
	for _, step := range []struct{ icon, text string }{
		{"pictures", lang.L("Drop eight to thirty pictures of a person, an animal, a thing or a style onto this window.")},
		{"train", lang.L("Watch the model learn it: the same prompts, before and after, again and again.")},
		{"export", lang.L("Take the result along as one file for the programs that make pictures.")},
	} {
		text := widget.NewLabel(step.text)
		text.Wrapping = fyne.TextWrapWord
		lines.Add(container.NewBorder(nil, nil, container.NewCenter(widget.NewIcon(theme.ColoredIcon(step.icon, fynetheme.ColorNamePrimary))), nil, text))
	}
	return lines
}

func (s *startPage) buttons() fyne.CanvasObject {
	add := widget.NewButtonWithIcon(lang.L("Add pictures"), theme.ColoredIcon("add", fynetheme.ColorNameForegroundOnPrimary), s.w.pick)
	add.Importance = widget.HighImportance
	return container.New(layout.NewRowWrapLayout(), add, widget.NewButtonWithIcon(lang.L("Add folder"), theme.Icon("folder"), s.w.pickFolder),
		widget.NewButtonWithIcon(lang.L("Open project"), theme.Icon("folder"), s.w.choose))
}

// card offers a sample.
func (s *startPage) card(sample samples.Sample) fyne.CanvasObject {
	picture := &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScaleFastest, Image: coverOf(sample)}
	try := widget.NewButton(lang.L("Try it"), func() { s.try(sample) })
	name := widget.NewLabelWithStyle(sample.Name, fyne.TextAlignCenter, fyne.TextStyle{Bold: true})
	class := widget.NewLabelWithStyle(lang.L(sample.Class), fyne.TextAlignCenter, fyne.TextStyle{})
	class.SizeName, class.Importance = fynetheme.SizeNameCaptionText, widget.LowImportance
	names := container.New(layout.NewCustomPaddedVBoxLayout(-theme.Normal), name, class)
	return widgets.Card(container.NewPadded(container.NewVBox(container.New(cover{}, picture), names, try)))
}

// cover lays a sample's picture, larger where its card is wide.
type cover struct{}

// Layout implements fyne.Layout.
func (cover) Layout(objects []fyne.CanvasObject, size fyne.Size) { objects[0].Resize(size) }

// MinSize has the height that suits the width.
func (cover) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(120, min(max(0.6*objects[0].Size().Width, 120), 240))
}

// coverSide is in pixels.
const coverSide = 384

// coverOf decodes a sample's picture. They are small, and three.
func coverOf(sample samples.Sample) image.Image {
	data, err := fs.ReadFile(samples.Files(), sample.Cover)
	if err != nil {
		return nil
	}
	decoded, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	return widgets.Fit(decoded, coverSide)
}

// try makes a project of a sample.
func (s *startPage) try(sample samples.Sample) {
	job := engine.Job{Word: sample.Name, Class: sample.Class}
	s.w.create(sample.Name, job, func(dir string) error { return sample.Copy(filepath.Join(dir, project.ImagesFolder)) }, func(string) {})
}

// update shows which projects were open last, and the way back to the one that is open now.
func (s *startPage) update() {
	open := s.w.project.Dir()
	s.back.SetText(fmt.Sprintf(lang.L("Back to %s"), s.w.project.Name()))
	s.top.Hidden = open == ""
	s.recent.RemoveAll()
	for _, dir := range remembered(s.w.app.Preferences()) {
		if _, err := os.Stat(dir); err != nil || dir == open {
			continue
		}
		button := widget.NewButtonWithIcon(filepath.Base(dir)+"   "+dir, theme.Icon("folder"), func() { s.w.Open(dir) })
		button.Alignment, button.Importance = widget.ButtonAlignLeading, widget.LowImportance
		s.recent.Add(button)
	}
	if len(s.recent.Objects) > 0 {
		s.recent.Objects = append([]fyne.CanvasObject{heading(lang.L("Or go on with"), fynetheme.SizeNameSubHeadingText)}, s.recent.Objects...)
	}
	s.recent.Hidden = len(s.recent.Objects) == 0
}
