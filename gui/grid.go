package gui

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
)

// The sizes of the grid, in Fyne's units.
const (
	cellSide    = 192
	labelWidth  = 88
	captionSize = 64 // height: three lines
)

// newGrid shows a run's pictures: a row a step, a column a prompt.
func newGrid(run engine.Run, pictures [][]picture) fyne.CanvasObject {
	captions := []fyne.CanvasObject{fixed(labelWidth, captionSize, widget.NewLabel(""))}
	for _, column := range run.Columns {
		captions = append(captions, fixed(cellSide, captionSize, caption(column)))
	}
	rows := container.NewVBox()
	for i, row := range run.Rows {
		cells := []fyne.CanvasObject{fixed(labelWidth, cellSide, stepLabel(row.Step, run))}
		for _, p := range pictures[i] {
			cells = append(cells, fixed(cellSide, cellSide, cell(p)))
		}
		rows.Add(container.NewHBox(cells...))
	}
	// One scroll for both keeps the captions above their columns when the window is narrow.
	return container.NewHScroll(container.NewBorder(container.NewHBox(captions...), nil, nil, nil, container.NewVScroll(rows)))
}

// fixed gives an object a size of its own in a box.
func fixed(width, height float32, object fyne.CanvasObject) fyne.CanvasObject {
	return container.NewGridWrap(fyne.NewSize(width, height), object)
}

func caption(text string) fyne.CanvasObject {
	label := widget.NewLabelWithStyle(text, fyne.TextAlignCenter, fyne.TextStyle{})
	label.Wrapping = fyne.TextWrapWord
	label.SizeName = theme.SizeNameCaptionText
	return label
}

// stepLabel names a row; the last of a finished run is what was exported.
func stepLabel(step int, run engine.Run) fyne.CanvasObject {
	text := fmt.Sprintf("step %d", step)
	switch {
	case step == 0:
		text = "before"
	case run.Done && step == run.Rows[len(run.Rows)-1].Step:
		text = fmt.Sprintf("after\n%d steps", step)
	}
	return container.NewCenter(widget.NewLabelWithStyle(text, fyne.TextAlignCenter, fyne.TextStyle{Bold: true}))
}

// cell shows a picture, or why it cannot be shown.
func cell(p picture) fyne.CanvasObject {
	if p.err != nil {
		label := widget.NewLabel(p.err.Error())
		label.Wrapping = fyne.TextWrapBreak
		label.Importance = widget.DangerImportance
		return container.NewVScroll(label)
	}
	shown := canvas.NewImageFromImage(p.pixels)
	shown.FillMode = canvas.ImageFillContain
	shown.ScaleMode = canvas.ImageScaleFastest // the graphics card scales; smooth scaling would be done on Fyne's goroutine
	return shown
}
