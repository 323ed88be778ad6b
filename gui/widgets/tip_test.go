package widgets_test

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"easel/gui/guitest"
	"easel/gui/widgets"
)

func TestTipAppearsWhereThePointerRests(t *testing.T) {
	test.NewTempApp(t)
	queue := guitest.NewQueue()
	first := widgets.NewExplained(widget.NewLabel("Rank"), "how wide the layers are")
	last := widgets.NewExplained(widget.NewLabel("Alpha"), "how strongly they count")
	w := test.NewTempWindow(t, widgets.WithTips(container.NewBorder(first, last, nil, nil), queue.Post))
	w.Resize(fyne.NewSize(400, 300))
	says := func(text string) bool { return strings.Contains(guitest.Text(w.Content()), text) }
	middle := func(e *widgets.Explained) fyne.Position {
		return fyne.CurrentApp().Driver().AbsolutePositionForObject(e).Add(fyne.NewPos(30, e.Size().Height/2))
	}

	test.MoveMouse(w.Canvas(), middle(first))
	if says("wide") {
		t.Error("it does not wait until the pointer rests")
	}
	queue.Until(t, "the explanation", func() bool { return says("how wide the layers are") })
	test.MoveMouse(w.Canvas(), fyne.NewPos(200, 150))
	if says("wide") {
		t.Error("it stays when the pointer leaves")
	}

	test.MoveMouse(w.Canvas(), middle(last)) // at the foot of the window: above
	queue.Until(t, "the explanation", func() bool { return says("how strongly they count") })
	for _, label := range guitest.Find[*widget.Label](w.Content()) {
		place, size := fyne.CurrentApp().Driver().AbsolutePositionForObject(label), label.Size()
		if place.X < 0 || place.Y < 0 || place.X+size.Width > 400 || place.Y+size.Height > 300 {
			t.Errorf("%q is at %v, with %v, outside the window", label.Text, place, size)
		}
	}
	if w.Canvas().Overlays().Top() != nil {
		t.Error("it is in front of the window, and takes its keys")
	}
}

func TestTipIsForgottenWhenThePointerHasLeft(t *testing.T) {
	test.NewTempApp(t)
	queue := guitest.NewQueue()
	e := widgets.NewExplained(widget.NewLabel("Rank"), "how wide the layers are")
	w := test.NewTempWindow(t, widgets.WithTips(container.NewVBox(e), queue.Post))
	e.MouseIn(&desktop.MouseEvent{})
	(<-queue)()
	if text := guitest.Text(w.Content()); !strings.Contains(text, "wide") {
		t.Fatalf("it says %q", text)
	}
	e.MouseIn(&desktop.MouseEvent{})
	late := <-queue
	e.MouseOut()
	late() // was on its way
	if text := guitest.Text(w.Content()); strings.Contains(text, "wide") {
		t.Error("it appears when the pointer has left")
	}
}

func TestExplainedWithoutALayerIsQuiet(t *testing.T) {
	test.NewTempApp(t)
	e := widgets.NewExplained(widget.NewLabel("Rank"), "how wide the layers are")
	w := test.NewTempWindow(t, container.NewVBox(e))
	test.MoveMouse(w.Canvas(), fyne.NewPos(20, 20))
	test.MoveMouse(w.Canvas(), fyne.NewPos(20, 200))
}
