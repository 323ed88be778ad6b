package widgets

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// gridHead is the head of a column or a row.
type gridHead struct {
	widget.BaseWidget
	text   *widget.Label
	choose *Steady
	prompt *promptHead
	box    *fyne.Container
}

func newGridHead() *gridHead {
	h := &gridHead{text: widget.NewLabel(""), choose: NewSteady(lang.L("Use this"), nil, nil), prompt: newPromptHead()}
	h.text.Alignment, h.text.Wrapping, h.text.SizeName = fyne.TextAlignCenter, fyne.TextWrapWord, theme.SizeNameCaptionText
	h.choose.Importance = widget.LowImportance
	h.box = container.NewStack()
	h.ExtendBaseWidget(h)
	return h
}

func (h *gridHead) showPrompt(text string, reword func()) {
	h.prompt.show(text, reword)
	h.box.Objects = []fyne.CanvasObject{h.prompt}
	h.box.Refresh()
}

func (h *gridHead) showStep(step int, inUse bool, choose func()) {
	text := fmt.Sprintf(lang.L("Step %d"), step)
	if step == 0 {
		text = lang.L("Before")
	}
	if inUse {
		text += "\n" + lang.L("✓ in use")
	}
	h.text.TextStyle = fyne.TextStyle{Bold: true}
	h.text.SetText(text)
	h.choose.OnTapped = choose
	Show(h.choose, choose != nil)
	h.box.Objects = []fyne.CanvasObject{container.NewVBox(spacer(), h.text, h.choose, spacer())}
	h.box.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (h *gridHead) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(h.box) }

// MinSize lets the table decide.
func (h *gridHead) MinSize() fyne.Size { return fyne.NewSize(labelWidth(), lines(leastLines)) }

// labelWidth is that of the heads of rows, which have a button.
func labelWidth() float32 {
	button := fyne.MeasureText(lang.L("Use this"), theme.TextSize(), fyne.TextStyle{Bold: true}).Width
	return max(104, button+2*theme.InnerPadding())
}

// The lines of prompts that heads of columns have room for.
const (
	leastLines = 2
	mostLines  = 6
)

// headHeight is what the longest prompt takes. It depends on the width of cells, which depends on it where the grid is low.
func (g *Grid) headHeight() float32 {
	n := leastLines
	for range 2 {
		width := g.sideBelow(lines(n)) - promptRoom()
		for _, prompt := range g.columns {
			n = max(n, linesOf(prompt, width))
		}
	}
	return lines(min(n, mostLines))
}

// lines is the height of a head with n lines of text.
func lines(n int) float32 {
	return float32(n)*fyne.MeasureText("Mg", theme.Size(theme.SizeNameCaptionText), fyne.TextStyle{}).Height + 2*theme.InnerPadding()
}

// linesOf is how many lines of a width a prompt takes.
func linesOf(prompt string, width float32) int {
	n, line := 1, ""
	for _, word := range strings.Fields(prompt) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && fyne.MeasureText(longer, theme.Size(theme.SizeNameCaptionText), fyne.TextStyle{}).Width > width {
			n, longer = n+1, word
		}
		line = longer
	}
	return n
}
