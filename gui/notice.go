package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/gui/theme"
)

// notice is a line below the toolbar that tells what went wrong, or what was not taken. It stays until it is closed, and
// stops nobody from going on.
type notice struct {
	window  fyne.Window
	text    *widget.Label
	icon    *widget.Icon
	more    *widget.Button
	details []string
	content fyne.CanvasObject
}

func newNotice(window fyne.Window) *notice {
	n := &notice{window: window, text: widget.NewLabel(""), icon: widget.NewIcon(nil)}
	n.text.Wrapping = fyne.TextWrapWord
	n.more = widget.NewButton(lang.L("Which?"), n.showDetails)
	closing := widget.NewButtonWithIcon("", fynetheme.CancelIcon(), n.hide)
	closing.Importance = widget.LowImportance
	n.content = container.NewVBox(container.NewBorder(nil, nil, container.NewCenter(n.icon), container.NewHBox(n.more, closing), n.text), widget.NewSeparator())
	n.content.Hide()
	return n
}

// show tells what went wrong; details are lines for those who want to know more.
func (n *notice) show(text string, details []string) {
	n.say(theme.ColoredIcon("warning", fynetheme.ColorNameWarning), text, details)
}

// tell tells what was done as it should be.
func (n *notice) tell(text string) {
	n.say(theme.ColoredIcon("check", fynetheme.ColorNameSuccess), text, nil)
}

func (n *notice) say(icon fyne.Resource, text string, details []string) {
	n.icon.SetResource(icon)
	n.text.SetText(text)
	n.details = details
	n.more.Hidden = len(details) == 0
	n.content.Show()
}

func (n *notice) hide() { n.content.Hide() }

func (n *notice) showDetails() {
	details := n.details
	list := widget.NewList(func() int { return len(details) }, func() fyne.CanvasObject {
		label := widget.NewLabel("")
		label.Wrapping = fyne.TextWrapWord
		return label
	}, nil)
	list.UpdateItem = func(i int, o fyne.CanvasObject) {
		label := o.(*widget.Label)
		label.SetText(details[i])
		list.SetItemHeight(i, label.MinSize().Height)
	}
	d := dialog.NewCustom(n.text.Text, lang.L("Close"), list, n.window)
	d.Resize(fyne.NewSize(640, 420))
	d.Show()
}
