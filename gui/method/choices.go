package method

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/speech"
	"easel/gui/terms"
	"easel/gui/widgets"
)

// choices shows every setting that follows from what is taught, each with its reason.
type choices struct {
	object  fyne.CanvasObject
	summary *widget.Label
	rows    *fyne.Container
}

func newChoices() *choices {
	c := &choices{summary: widgets.Wrapped(""), rows: container.New(choiceLayout{})}
	c.object = container.NewVBox(c.summary, c.rows)
	return c
}

// say says why there is nothing yet.
func (c *choices) say(text string) {
	c.summary.Importance = widget.MediumImportance
	c.summary.SetText(text)
	c.rows.RemoveAll()
}

func (c *choices) fail(err error) {
	c.say(speech.Error(err))
	c.summary.Importance = widget.DangerImportance
	c.summary.Refresh()
}

func (c *choices) show(p engine.Preview) {
	c.say(fmt.Sprintf(lang.L("%d pictures, %d steps. Trains %s numbers; the file will have about %s. Memory: %s."),
		p.Pictures, p.Job.Steps, widgets.Count(p.Parameters), widgets.Bytes(p.FileBytes), speech.Of(p.Plan.Why)))
	for _, choice := range p.Choices {
		name := widget.NewLabelWithStyle(speech.Of(titleOf(choice.Name)), fyne.TextAlignLeading, fyne.TextStyle{})
		value := widget.NewLabelWithStyle(choice.Value, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
		value.Truncation = fyne.TextTruncateEllipsis
		reason := widgets.Quiet(widgets.Sentence(speech.Of(choice.Reason)))
		c.rows.Add(terms.Explain(name, name.Text))
		c.rows.Add(value)
		c.rows.Add(reason)
	}
}

// choiceLayout lays name, value and reason in lines.
type choiceLayout struct{}

// valueWidth has room for values.
func valueWidth() float32 { return 132 * widgets.TextScale() }

// Layout implements fyne.Layout.
func (choiceLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y, nameWidth, valueWidth := float32(0), nameWidth(), valueWidth()
	for i := 0; i+2 < len(objects); i += 3 {
		rest := fyne.NewSize(max(size.Width-nameWidth-valueWidth, 80), objects[i+2].Size().Height)
		objects[i+2].Resize(rest)
		height := choiceHeight(objects[i : i+3])
		for k, x := range []float32{0, nameWidth, nameWidth + valueWidth} {
			objects[i+k].Move(fyne.NewPos(x, y))
		}
		objects[i].Resize(fyne.NewSize(nameWidth, objects[i].MinSize().Height))
		objects[i+1].Resize(fyne.NewSize(valueWidth, objects[i+1].MinSize().Height))
		objects[i+2].Resize(fyne.NewSize(rest.Width, height))
		y += height
	}
}

// choiceHeight is a line's, less some of the room around its labels, as lines belong together.
func choiceHeight(line []fyne.CanvasObject) float32 {
	height := float32(0)
	for _, o := range line {
		height = max(height, o.MinSize().Height)
	}
	return height - theme.InnerPadding()
}

// MinSize implements fyne.Layout.
func (choiceLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	size := fyne.NewSize(nameWidth()+valueWidth()+160, 0)
	for i := 0; i+2 < len(objects); i += 3 {
		size.Height += choiceHeight(objects[i : i+3])
	}
	return size.AddWidthHeight(0, theme.InnerPadding())
}
