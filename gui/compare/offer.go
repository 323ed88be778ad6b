package compare

import (
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/gui/widgets"
)

// offer lets a comparison go on that was interrupted.
type offer struct {
	object fyne.CanvasObject
	text   *widget.Label
	button *widgets.Steady
}

func newOffer(goOn func()) *offer {
	o := &offer{text: widgets.Wrapped(""), button: widgets.NewSteady(lang.L("Go on"), nil, goOn)}
	o.button.Importance = widget.HighImportance
	o.object = widgets.Card(container.NewBorder(nil, nil, widget.NewIcon(fynetheme.HistoryIcon()), container.NewCenter(o.button), o.text))
	o.object.Hide()
	return o
}

// show says which comparison it is; free tells whether it can go on now.
func (o *offer) show(w *watch, titles map[string]string, free bool) {
	c := w.comparison
	widgets.SetText(o.text, fmt.Sprintf(lang.L("A comparison stopped at %s, method %d of %d. It can go on from there."), titles[c.Turn], len(c.Rows)+1, len(c.Request.Methods)))
	widgets.Enable(o.button, free)
}
