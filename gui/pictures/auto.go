package pictures

import (
	"context"
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/post"
	"easel/gui/speech"
	"easel/gui/widgets"
)

// showAuto asks which captions shall be written: of the pictures selected where they are several, else of all.
func (p *Page) showAuto() {
	titles := []string{lang.L("Only pictures without a caption"), lang.L("Add to the captions that are there"), lang.L("Replace the captions that are there")}
	modes := map[string]string{titles[0]: "fill", titles[1]: "append", titles[2]: "replace"}
	mode := widget.NewRadioGroup(titles, nil)
	mode.Required = true
	mode.SetSelected(titles[0])
	names := p.usable(p.targets(false))
	which := widget.NewLabel(lang.N("{{.Count}} pictures are looked at, and described in words.", len(names), map[string]any{"Count": len(names)}))
	d := dialog.NewCustomConfirm(lang.L("Write captions"), lang.L("Write"), lang.L("Cancel"), container.NewVBox(which, mode, p.captioner(), p.wordless()), func(yes bool) {
		if yes {
			p.autoCaption(names, modes[mode.Selected])
		}
	}, p.window)
	d.Resize(fyne.NewSize(460, 340))
	d.Show()
}

// captioner says who writes the captions, with a way back to the usual captioner.
func (p *Page) captioner() fyne.CanvasObject {
	usual := lang.L("The usual captioner writes them. To have a BLIP or a WD tagger of your own do it, drop its file onto the window.")
	who := widgets.Quiet(usual)
	back := widget.NewButton(lang.L("Back to the usual captioner"), nil)
	back.OnTapped = func() {
		p.actions.UsualCaptioner()
		who.SetText(usual)
		back.Hide()
	}
	if path := p.actions.Captioner(); path != "" {
		who.SetText(fmt.Sprintf(lang.L("%s writes them."), path))
	} else {
		back.Hide()
	}
	return container.NewVBox(who, container.NewHBox(back))
}

// wordless says that captions had better wait for the word; it is hidden where there is one.
func (p *Page) wordless() fyne.CanvasObject {
	text := widgets.Quiet(lang.L("Your subject has no word yet. Choose it on the Method page first: then it stands in each caption."))
	text.Importance = widget.WarningImportance
	text.Hidden = p.project.Job().Word != ""
	return text
}

// usable leaves out what no caption helps.
func (p *Page) usable(names []string) (usable []string) {
	for _, name := range names {
		if info, _ := p.album.get(name); info.Usable {
			usable = append(usable, name)
		}
	}
	return usable
}

// captioned is news of captions that are written.
type captioned struct {
	event  engine.CaptionEvent
	end    bool
	result engine.CaptionResult
	err    error
}

// autoCaption has the engine write captions of the pictures of those names, as one step that can be undone.
func (p *Page) autoCaption(names []string, mode string) {
	ctx, cancel := context.WithCancel(context.Background())
	job, saver, eng := p.project.Job(), p.saver, p.eng
	request := engine.CaptionRequest{Images: p.project.Images(), Only: names, Model: p.actions.Captioner(), Mode: mode, Word: job.Word, Class: job.Class}
	shown := newAutoProgress(p.window, cancel)
	p.ongoing = p.window.Canvas().Overlays().Top()
	batch := post.NewBatch(p.post, updateGap, func(all []captioned) {
		last := all[len(all)-1]
		if !last.end {
			shown.at(last.event)
			return
		}
		p.autoCaptioned(request, last.result, last.err)
		p.ongoing = nil
		shown.finish(last.result, last.err)
	})
	go func() {
		defer cancel()
		saver.flush() // what was typed is there before the engine reads
		result, err := eng.Caption(ctx, request, func(e engine.Event) {
			if e.Caption != nil && e.Caption.Pictures > 0 {
				batch.Put(captioned{event: *e.Caption})
			}
		})
		batch.Put(captioned{end: true, result: result, err: err})
	}()
}

// Ongoing tells whether a dialog shows what is not finished. Hidden, that would go on where nobody could end it or see what it did.
func (p *Page) Ongoing(dialog fyne.CanvasObject) bool { return p.ongoing != nil && p.ongoing == dialog }

// autoCaptioned shows the captions that were written, where the project is still open.
func (p *Page) autoCaptioned(request engine.CaptionRequest, result engine.CaptionResult, err error) {
	if request.Images != p.project.Images() {
		return
	}
	if result.Written+result.Changed > 0 {
		eng := p.eng
		p.undo.push(lang.L("Wrote captions"), func() error {
			_, err := eng.Caption(context.Background(), engine.CaptionRequest{Images: request.Images, Undo: true}, func(engine.Event) {})
			return err
		})
	}
	p.Refresh()
	p.reread = true
}

// autoProgress is the dialog that shows how far the captions are, and then what was done.
type autoProgress struct {
	window fyne.Window
	dialog *dialog.CustomDialog
	text   *widget.Label
	bar    *widget.ProgressBar
	button *widget.Button
}

func newAutoProgress(window fyne.Window, cancel func()) *autoProgress {
	a := &autoProgress{window: window, text: widget.NewLabel(lang.L("Opening the captioner …")), bar: widget.NewProgressBar()}
	a.text.Wrapping = fyne.TextWrapWord
	a.button = widget.NewButton(lang.L("Cancel"), func() {
		a.button.Disable() // it ends with the picture that is being described
		cancel()
	})
	a.dialog = dialog.NewCustomWithoutButtons(lang.L("Write captions"), container.NewBorder(nil, container.NewVBox(a.bar, container.NewCenter(a.button)), nil, nil, a.text), window)
	a.dialog.Resize(fyne.NewSize(460, 260))
	a.dialog.Show()
	a.window.Canvas().Focus(a.button) // for Space
	return a
}

func (a *autoProgress) at(e engine.CaptionEvent) {
	a.text.SetText(e.Text)
	a.bar.Max = float64(e.Pictures)
	a.bar.SetValue(float64(e.Picture))
}

// finish sums up; the dialog is there until it is closed.
func (a *autoProgress) finish(r engine.CaptionResult, err error) {
	a.bar.Hide()
	text := lang.N("{{.Count}} captions were written.", r.Written+r.Changed, map[string]any{"Count": r.Written + r.Changed})
	switch {
	case r.Unsure > 0 && r.Written+r.Changed == 0:
		text = lang.L("The captioner does not know what these pictures show, and has written nothing. Write captions yourself, or leave them empty: then each says only your word and what kind it is.")
	case r.Unsure > 0:
		text += " " + lang.N("The captioner does not know what {{.Count}} of them show; look at those.", r.Unsure, map[string]any{"Count": r.Unsure})
	}
	if err != nil && engine.KindOf(err) != engine.Cancelled {
		text = speech.Error(err)
	}
	a.text.SetText(text)
	a.button.SetText(lang.L("Close"))
	a.button.OnTapped = a.dialog.Hide
	a.button.Enable()
	a.window.Canvas().Unfocus()
}
