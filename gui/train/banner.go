package train

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/speech"
	"easel/gui/widgets"
)

// banner says above the grid what has happened and what one can do.
type banner struct {
	object  *fyne.Container
	icon    *widget.Icon
	text    *widget.Label
	actions *fyne.Container
	fit     func() // lays out what holds the banner
	expects string // what the run that is on takes, which warnings do not replace
}

func newBanner() *banner {
	b := &banner{icon: widget.NewIcon(nil), text: widgets.Wrapped(""), actions: container.NewHBox()}
	dismiss := widget.NewButtonWithIcon("", theme.CancelIcon(), b.hide)
	dismiss.Importance = widget.LowImportance
	b.actions = container.NewHBox()
	content := container.NewBorder(nil, nil, b.icon, container.NewVBox(layout.NewSpacer(), container.NewHBox(b.actions, dismiss), layout.NewSpacer()), b.text)
	b.object = container.NewStack(widgets.Card(content))
	b.object.Hide()
	return b
}

func (b *banner) hide() {
	b.expects = ""
	b.object.Hide()
}

// action is a button of a banner.
type action struct {
	text string
	do   func()
}

// say shows a text; the first action is the one that most want.
func (b *banner) say(icon fyne.Resource, text string, actions ...action) {
	b.icon.SetResource(icon)
	b.text.SetText(text)
	b.actions.Objects = nil
	for i, a := range actions {
		button := widget.NewButton(a.text, func() { b.hide(); a.do() })
		if i == 0 {
			button.Importance = widget.HighImportance
		}
		b.actions.Add(button)
	}
	b.object.Show()
	for range 2 { // how high a text is follows from its width, which the first gives it
		b.fit()
	}
}

func (b *banner) offer(run engine.Run, goOn, anew func()) {
	if run.Step == run.Job.Steps {
		b.say(theme.HistoryIcon(), lang.L("All steps of this run are done, but its file was not finished. Go on, and it will be."), action{lang.L("Go on"), goOn}, action{lang.L("Start anew"), anew})
		return
	}
	b.say(theme.HistoryIcon(), fmt.Sprintf(lang.L("A run stopped after step %d of %d. Go on continues it as if nothing had happened, with the settings that it had. Start anew begins another at step 0, with those of now; what this one learned stays on disk."), run.Step, run.Job.Steps),
		action{lang.L("Go on"), goOn}, action{lang.L("Start anew"), anew})
}

// plan says what a run will take, and when it is done.
func (b *banner) plan(p engine.Preview, now time.Time) {
	end := now.Add(time.Duration(p.Seconds * float64(time.Second)))
	text := fmt.Sprintf(lang.L("%d steps take about %s: ready at about %s, and somewhat later with the pictures. At most %.1f GB of memory."),
		p.Job.Steps, widgets.Duration(p.Seconds), end.Format("15:04"), float64(p.Plan.Peak)/1e9)
	if p.Plan.Recompute > 0 || p.Plan.Stream {
		text += "\n" + fmt.Sprintf(lang.L("To fit, Easel %s."), speech.Of(p.Plan.Why))
	}
	b.expects = text
	b.say(theme.InfoIcon(), text)
}

// comparing says why no row can be used at the moment.
func (b *banner) comparing() {
	b.say(theme.InfoIcon(), lang.L("Methods are being compared, on the Method page. Stop that first, or wait for its end; then use this row."))
}

func (b *banner) diverged(err error, run engine.Run, slower func()) {
	text := lang.L("The numbers ran away: the model learned too fast. The step that failed was not made.")
	if n := len(run.Rows); n > 0 && run.Rows[n-1].Step > 0 {
		text += " " + fmt.Sprintf(lang.L("What it had learned by step %d is kept: you can use that row."), run.Rows[n-1].Step)
	}
	b.say(theme.ErrorIcon(), text+"\n"+speech.Error(err), action{lang.L("Start anew, half as fast"), slower})
}

func (b *banner) nothing() {
	b.say(theme.WarningIcon(), lang.L("This run changed nothing: the model is as it was. Most often the learning rate is too low, or there were too few steps. Both are on the Method page."))
}

func (b *banner) fail(err error, actions ...action) {
	text := speech.Error(err)
	if e := (*engine.Error)(nil); errors.As(err, &e) && e.Kind == engine.BadInput && e.Err != nil { // nobody needs to know who says so
		path := e.Path
		if info, err := os.Stat(path); err == nil && info.IsDir() { // the project's, or its pictures: what it says is clear without
			path = ""
		}
		text = about(path, e.Err.Error())
	}
	if engine.KindOf(err) == engine.OutOfMemory {
		text += "\n" + lang.L("Close other programs, or choose a smaller picture size or batch on the Method page.")
	}
	b.say(theme.ErrorIcon(), text, actions...)
}

func (b *banner) warn(text string) {
	b.say(theme.WarningIcon(), strings.TrimSpace(text+"\n"+b.expects))
}

func (b *banner) done(result engine.Result) {
	b.say(theme.ConfirmIcon(), fmt.Sprintf(lang.L("Done. %s is ready; the Export page says how to use it. If an earlier row looks better, use that one."), filepath.Base(result.Export)))
}

func (b *banner) promoted(e engine.ExportEvent) {
	b.say(theme.ConfirmIcon(), fmt.Sprintf(lang.L("%s now holds what was learned by step %d."), filepath.Base(e.Path), e.Step))
}
