package pictures

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/gui/theme"
	"easel/gui/widgets"
)

// layoutPadding is a layout that leaves the same distance on all sides.
func layoutPadding(distance float32) fyne.Layout {
	return layout.NewCustomPaddedLayout(distance, distance, distance, distance)
}

// bar is above the grid: what can be done, and how many pictures there are.
type bar struct {
	page                       *Page
	add, folder, change, words *widget.Button
	remove, undo               *widget.Button
	count                      *widget.Label
	attention                  *widget.Hyperlink // selects what wants a look
	content                    fyne.CanvasObject
}

func newBar(p *Page) *bar {
	b := &bar{page: p, count: widget.NewLabel(""), attention: widget.NewHyperlink("", nil)}
	b.attention.OnTapped, b.attention.SizeName = p.nextAttention, fynetheme.SizeNameCaptionText
	b.add = widget.NewButtonWithIcon(lang.L("Add pictures"), theme.ColoredIcon("add", fynetheme.ColorNameForegroundOnPrimary), p.actions.Pick)
	b.folder = widget.NewButtonWithIcon(lang.L("Add folder"), theme.Icon("folder"), p.actions.PickFolder)
	b.change = widget.NewButtonWithIcon(lang.L("Change captions"), theme.Icon("replace"), p.showBulk)
	b.words = widget.NewButtonWithIcon(lang.L("Write captions"), theme.Icon("caption"), p.showAuto)
	b.remove = widget.NewButtonWithIcon("", theme.Icon("remove"), p.removeSelected)
	b.undo = widget.NewButtonWithIcon("", theme.Icon("undo"), p.undoLast)
	b.add.Importance = widget.HighImportance
	b.count.SizeName = fynetheme.SizeNameCaptionText
	buttons := container.New(layout.NewRowWrapLayout(), b.add, b.folder, b.remove, b.undo, b.words, b.change)
	b.content = container.NewVBox(spaced(buttons), container.New(layout.NewRowWrapLayout(), b.count, b.attention))
	b.update()
	return b
}

// update shows what can be done now.
func (b *bar) update() {
	usable, attention, pending := b.page.album.count()
	text := lang.N("{{.Count}} pictures to train on", usable, map[string]any{"Count": usable})
	b.attention.SetText(lang.N("{{.Count}} want a look", attention, map[string]any{"Count": attention}))
	b.attention.Hidden = attention == 0
	if pending > 0 {
		text += "  ·  " + lang.N("looking at {{.Count}} more", pending, map[string]any{"Count": pending})
	}
	if n := len(b.page.album.selected); n > 1 {
		text += "  ·  " + lang.N("{{.Count}} selected", n, map[string]any{"Count": n})
	}
	b.count.SetText(text)
	widgets.Enable(b.remove, len(b.page.album.selected) > 0)
	widgets.Enable(b.change, usable > 0)
	widgets.Enable(b.words, usable > 0 && !b.page.project.State().Busy()) // the engine would caption after training
	widgets.Enable(b.undo, b.page.undo.last() != "")
}
