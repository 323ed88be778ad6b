package settings

import (
	"fmt"
	"runtime"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"easel/gui/awake"
	"easel/gui/widgets"
)

// training is what of the computer a run takes, and whether it stays awake meanwhile.
func (p *Page) training() fyne.CanvasObject {
	next := widgets.Quiet(lang.L("A change holds from the next start of Easel."))
	sleep := widget.NewCheck(lang.L("Keep the computer awake while training"), func(on bool) { p.change(func(v *Values) { v.Awake = on }) })
	sleep.Checked = p.values.Awake
	how := widgets.Quiet(lang.L("The screen may go dark. While a run is paused, the computer may sleep."))
	if !awake.Possible {
		sleep.Checked = false
		sleep.Disable()
		how.SetText(lang.L("Easel cannot do this on this system: switch sleep off in the system's settings for a long run."))
	}
	return container.NewVBox(container.New(layout.NewFormLayout(), widget.NewLabel(lang.L("Threads")), p.threads()), next, sleep, how)
}

// threads offers fewer than there are, so that one can work meanwhile.
func (p *Page) threads() fyne.CanvasObject {
	options := []option{
		{lang.L("One core left free"), func(v *Values) { v.Threads = -1 }},
		{lang.L("All cores"), func(v *Values) { v.Threads = 0 }},
	}
	current := 0 // also where what was kept is of another machine
	if p.values.Threads == 0 {
		current = 1
	}
	for _, n := range []int{1, 2, 4, 8, 16} {
		if n >= runtime.NumCPU() {
			break
		}
		if p.values.Threads == n {
			current = len(options)
		}
		options = append(options, option{fmt.Sprint(n), func(v *Values) { v.Threads = n }})
	}
	return p.choice(options, current)
}
