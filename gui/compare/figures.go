package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/speech"
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
			func(r engine.Compared) string {
				if r.Summary.PeakMemory == 0 {
					return unknown
				}
				return widgets.Bytes(r.Summary.PeakMemory)
			}},
	}
}

// tableOf is the table of what the methods of a comparison were measured to be.
func tableOf(c engine.Comparison) fyne.CanvasObject {
	rows := slices.DeleteFunc(slices.Clone(c.Rows), func(r engine.Compared) bool { return r.Problem != "" })
	var objects []fyne.CanvasObject
	line := func(name, help string, value func(engine.Compared) *widget.Label) {
		called := widgets.Wrapped(name)
		called.TextStyle.Bold, called.SizeName = true, theme.SizeNameCaptionText
		objects = append(objects, called)
		for _, r := range rows {
			label := value(r)
			label.Alignment, label.Wrapping = fyne.TextAlignCenter, fyne.TextWrapWord
			objects = append(objects, label)
		}
		objects = append(objects, widgets.Quiet(help))
	}
	line("", "", func(r engine.Compared) *widget.Label { return widgets.Caption(speech.Of(r.Title)) })
	for _, f := range figuresOf(c) {
		line(f.title, f.help, func(r engine.Compared) *widget.Label {
			if slices.Contains(c.Best[f.name], r.Method) {
				return widget.NewLabelWithStyle(f.value(r)+" ★", fyne.TextAlignCenter, fyne.TextStyle{Bold: true})
			}
			return widget.NewLabel(f.value(r))
		})
	}
	best := widgets.Quiet(lang.L("★ is the best of its line. No method is best in all: choose by what matters to you."))
	return container.NewVBox(widgets.Heading(lang.L("In figures")), container.New(tableLayout{len(rows)}, objects...), best)
}

// tableLayout lays lines, each of a name, a value for each of some methods, and below these what the name means.
type tableLayout struct{ methods int }

const mostColumn = 170

// widths are those of the names, and of a method's values: no word of either is broken where there is room for all.
func (l tableLayout) widths(objects []fyne.CanvasObject, all float32) (name, column float32) {
	text := func(of fyne.CanvasObject, words bool) (width float32) {
		label := of.(*widget.Label)
		parts := []string{label.Text}
		if words {
			parts = strings.Fields(label.Text)
		}
		for _, part := range parts {
			width = max(width, fyne.MeasureText(part, theme.CaptionTextSize(), label.TextStyle).Width)
		}
		return width + 2*theme.InnerPadding() + 2
	}
	var word, head float32 // the longest of the names, and of the methods'
	for i := 0; i < len(objects); i += l.methods + 2 {
		name, word = max(name, text(objects[i], false)), max(word, text(objects[i], true))
	}
	for _, o := range objects[1 : 1+l.methods] {
		head = max(head, text(o, true))
	}
	name = max(word, min(name, all-head*float32(l.methods)))
	return name, min(max((all-name)/float32(max(l.methods, 1)), 40), mostColumn)
}

// heights are those of a line's values and of what stands below them.
func (l tableLayout) heights(line []fyne.CanvasObject) (values, help float32) {
	for _, o := range line[:l.methods+1] {
		values = max(values, o.MinSize().Height)
	}
	if label := line[l.methods+1].(*widget.Label); label.Text != "" {
		help = label.MinSize().Height - labelRoom()
	}
	return values, help
}

// Layout implements fyne.Layout.
func (l tableLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	name, column := l.widths(objects, size.Width)
	y := float32(0)
	for line := range slices.Chunk(objects, l.methods+2) {
		for k, o := range line { // their texts wrap at this width
			width := column
			switch k {
			case 0:
				width = name
			case l.methods + 1:
				width = size.Width
			}
			o.Resize(fyne.NewSize(width, o.Size().Height))
		}
		values, help := l.heights(line)
		x := float32(0)
		for _, o := range line[:l.methods+1] {
			o.Move(fyne.NewPos(x, y+values-o.MinSize().Height))
			o.Resize(fyne.NewSize(o.Size().Width, o.MinSize().Height))
			x += o.Size().Width
		}
		line[l.methods+1].Move(fyne.NewPos(0, y+values-labelRoom()))
		line[l.methods+1].Resize(fyne.NewSize(size.Width, line[l.methods+1].MinSize().Height))
		y += values + help
	}
}

// MinSize implements fyne.Layout.
func (l tableLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	name, column := l.widths(objects, 0)
	size := fyne.NewSize(name+float32(l.methods)*column, labelRoom())
	for line := range slices.Chunk(objects, l.methods+2) {
		values, help := l.heights(line)
		size.Height += values + help
	}
	return size
}
