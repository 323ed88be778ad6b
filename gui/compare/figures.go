package compare

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// figure is a line of the table: a measure, what it means, and its value for a method.
type figure struct {
	name        engine.Figure
	title, help string
	value       func(engine.Compared) string
}

func percent(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }

// figuresOf are the lines for a comparison.
func figuresOf(c engine.Comparison) []figure {
	word, class := c.Request.Job.Word, cmp.Or(c.Request.Job.Class, lang.L("thing"))
	unknown := lang.L("not measured")
	share := func(v float64, measured bool) string {
		if !measured {
			return unknown
		}
		return percent(v)
	}
	before := unknown
	for _, r := range c.Rows {
		if r.Summary.LikenessOwn != 0 {
			before = percent(r.Summary.LikenessBefore)
		}
	}
	return []figure{
		{engine.FigureLikeness, lang.L("Likeness"),
			fmt.Sprintf(lang.L("How much the pictures of %s look like yours: 0 %% is any other %s, 100 %% your most typical picture. Before training: %s."), word, class, before),
			func(r engine.Compared) string { return share(r.Summary.LikenessAfter, r.Summary.LikenessOwn != 0) }},
		{engine.FigureObeyed, lang.L("Obedience"),
			fmt.Sprintf(lang.L("How much of the background has the colour that the prompt asks for. Before training: %s."), share(c.ObeyedBefore, c.ObeyedBefore >= 0)),
			func(r engine.Compared) string { return share(r.Obeyed, r.Obeyed >= 0) }},
		{engine.FigureDrift, lang.L("Drift"),
			fmt.Sprintf(lang.L("How far the pictures without %s have changed, though they should not: 0 %% is not at all."), word),
			func(r engine.Compared) string { return fmt.Sprintf("%.1f %%", 100*r.Summary.Drift) }},
		{engine.FigureParameters, lang.L("Trained numbers"), lang.L("How many numbers training may change."),
			func(r engine.Compared) string { return widgets.Count(r.Summary.Parameters) }},
		{engine.FigureFile, lang.L("File"), lang.L("The size of what you take along to other programs."),
			func(r engine.Compared) string { return widgets.Bytes(r.Summary.FileBytes) }},
		{engine.FigureSeconds, lang.L("A step takes"), lang.L("In each step the model looks at a few pictures and is changed once."),
			func(r engine.Compared) string { return fmt.Sprintf("%.2g s", r.SecondsPerStep) }},
		{engine.FigureMemory, lang.L("Memory"), lang.L("The most that Easel took of this computer's memory while it trained."),
			func(r engine.Compared) string { return widgets.Bytes(r.Summary.PeakMemory) }},
	}
}

// tableOf is the table of what the methods of a comparison were measured to be.
func tableOf(c engine.Comparison) fyne.CanvasObject {
	rows := slices.DeleteFunc(slices.Clone(c.Rows), func(r engine.Compared) bool { return r.Problem != "" })
	table := container.New(tableLayout{len(rows)}, canvas.NewRectangle(color.Transparent))
	value := func(text string, best bool) {
		if best {
			text += " ★"
		}
		label := widget.NewLabelWithStyle(text, fyne.TextAlignCenter, fyne.TextStyle{Bold: best})
		label.Wrapping = fyne.TextWrapWord
		table.Add(label)
	}
	for _, r := range rows {
		title := widget.NewLabelWithStyle(r.Title, fyne.TextAlignCenter, fyne.TextStyle{Bold: true})
		title.Wrapping, title.SizeName = fyne.TextWrapWord, fynetheme.SizeNameCaptionText
		table.Add(title)
	}
	for _, f := range figuresOf(c) {
		name := widget.NewLabelWithStyle(f.title, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
		table.Add(container.New(labelLayout{}, name, widgets.Quiet(f.help)))
		for _, r := range rows {
			value(f.value(r), slices.Contains(c.Best[f.name], r.Method))
		}
	}
	best := widgets.Quiet(lang.L("★ is the best of its line. No method is best in all: choose by what matters to you."))
	return container.NewVBox(widgets.Heading(lang.L("In figures")), table, best)
}

// tableLayout lays names at the left, and the values of each of some columns.
type tableLayout struct{ columns int }

// widths are those of the names and of a column.
func (l tableLayout) widths(all float32) (name, column float32) {
	n := float32(max(l.columns, 1))
	least := fyne.MeasureText("Hypernetwork", fynetheme.CaptionTextSize(), fyne.TextStyle{Bold: true}).Width + 2*fynetheme.InnerPadding()
	column = min(max(0.68*all/n, least), 160)
	return max(min(all-n*column, 420), 140), column
}

func (l tableLayout) height(row []fyne.CanvasObject) (height float32) {
	for _, o := range row {
		height = max(height, o.MinSize().Height)
	}
	return height
}

// Layout implements fyne.Layout.
func (l tableLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	name, column := l.widths(size.Width)
	y := float32(0)
	for i := 0; i+l.columns < len(objects); i += l.columns + 1 {
		row := objects[i : i+l.columns+1]
		for k, o := range row { // their texts wrap at this width
			width := column
			if k == 0 {
				width = name
			}
			o.Resize(fyne.NewSize(width, o.Size().Height))
		}
		height := l.height(row)
		row[0].Move(fyne.NewPos(0, y))
		row[0].Resize(fyne.NewSize(name, height))
		for k, o := range row[1:] {
			own := o.MinSize().Height
			o.Move(fyne.NewPos(name+float32(k)*column, y+(height-own)/2))
			o.Resize(fyne.NewSize(column, own))
		}
		y += height + theme.Tight
	}
}

// MinSize implements fyne.Layout.
func (l tableLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	_, column := l.widths(0)
	size := fyne.NewSize(140+float32(l.columns)*column, 0)
	for i := 0; i+l.columns < len(objects); i += l.columns + 1 {
		size.Height += l.height(objects[i:i+l.columns+1]) + theme.Tight
	}
	return size
}
