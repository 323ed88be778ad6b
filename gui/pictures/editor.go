package pictures

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"easel/engine"
	"easel/gui/speech"
	"easel/gui/terms"
	"easel/gui/theme"
	"easel/gui/widgets"
)

// longestCaption is how many characters of a caption are shown: Fyne's entry becomes slow beyond.
const longestCaption = 2000

// editor is beside the grid: the picture that is selected, how it is cut, and its caption.
type editor struct {
	page *Page
	name string // of the picture shown; "" where none or several are selected
	seen int    // counts checks, so that the answer to an old one is known as such
	fill bool   // the entry is being filled, not typed into

	crop    *cropView
	title   *widget.Label
	facts   *widget.Label
	issues  *fyne.Container
	entry   *widgets.Entry
	tokens  *widget.Label
	remarks *fyne.Container
	below   *fyne.Container  // what is below the picture
	one     *fyne.Container  // shown for one picture
	other   *widget.RichText // shown for none and for several
	content fyne.CanvasObject
}

func newEditor(p *Page) *editor {
	e := &editor{page: p, title: widget.NewLabel(""), facts: widget.NewLabel(""), issues: container.NewVBox(), remarks: container.NewVBox(),
		entry: widgets.NewEntry(true), tokens: widget.NewLabel(""), other: widget.NewRichText()}
	e.crop = newCropView(e.cropped)
	e.title.TextStyle.Bold, e.title.Truncation = true, fyne.TextTruncateEllipsis
	e.facts.SizeName, e.facts.Importance, e.facts.Wrapping = fynetheme.SizeNameCaptionText, widget.LowImportance, fyne.TextWrapWord
	e.tokens.Alignment, e.tokens.SizeName, e.tokens.Importance = fyne.TextAlignTrailing, fynetheme.SizeNameCaptionText, widget.LowImportance
	e.entry.SetMinRowsVisible(4)
	e.entry.OnChanged = e.typed
	e.other.Wrapping = fyne.TextWrapWord
	heading := widget.NewLabelWithStyle(lang.L("Caption"), fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	e.below = container.NewVBox(e.facts, e.issues, container.NewBorder(nil, nil, terms.Explain(heading, heading.Text), terms.Explain(e.tokens, lang.L("Tokens"))), e.entry, e.remarks)
	e.one = container.NewBorder(e.title, e.below, nil, nil, e.crop)
	e.content = spaced(container.NewStack(e.one, e.other))
	e.showSelection()
	return e
}

// showSelection shows the one picture that is selected, or what can be done with several.
func (e *editor) showSelection() {
	chosen := e.page.album.chosen()
	if len(chosen) != 1 {
		e.name = ""
		e.one.Hide()
		e.other.Segments = adviceFor(len(chosen))
		e.other.Refresh()
		e.other.Show()
		return
	}
	e.other.Hide()
	e.one.Show()
	if chosen[0] != e.name {
		e.name = chosen[0]
		e.showCaption()
	}
	e.showIssues()
}

// forget has the picture shown anew, with what its files hold.
func (e *editor) forget() { e.name = "" }

// adviceFor is shown where not one picture is selected.
func adviceFor(selected int) []widget.RichTextSegment {
	heading, text := lang.L("What makes good pictures"), lang.X("pictures.advice", adviceText)
	if selected > 1 {
		heading = lang.N("{{.Count}} pictures selected", selected, map[string]any{"Count": selected})
		text = lang.L("Change captions edits all of them at once. Delete moves them out of the project; Ctrl+Z brings them back.")
	}
	title := &widget.TextSegment{Style: widget.RichTextStyleSubHeading, Text: heading}
	return []widget.RichTextSegment{title, &widget.TextSegment{Style: widget.RichTextStyleParagraph, Text: text}}
}

const adviceText = "Eight to thirty pictures of one subject, sharp, from different sides and before different backgrounds. " +
	"The caption names what is in the picture: the subject by its word, and what shall not become part of it, such as the background."

// showCaption fills the entry with the caption of the picture shown.
func (e *editor) showCaption() {
	info, _ := e.page.album.get(e.name)
	e.fill = true
	e.entry.SetText(firstRunes(info.Caption, longestCaption))
	e.fill = false
	e.check()
}

// showIssues shows all but the caption, which one may be typing.
func (e *editor) showIssues() {
	info, ok := e.page.album.get(e.name)
	if !ok {
		return
	}
	e.title.SetText(info.Name)
	e.facts.SetText(factsOf(info))
	e.facts.Hidden = e.facts.Text == ""
	listIssues(e.issues, info.Issues)
	if info.Usable {
		e.entry.Enable()
	} else {
		e.entry.Disable()
	}
	if e.entry.Text == "" && info.Caption != "" { // it was not looked at when it was selected
		e.showCaption()
	}
	e.crop.show(info)
	e.arrange()
	if info.Thumbnail != "" && e.crop.picture.Image == nil {
		go func() {
			pixels, err := readPicture(info.Thumbnail, engine.ThumbnailSide)
			if err != nil {
				return
			}
			e.page.post(func() {
				if e.name == info.Name {
					e.crop.setPixels(pixels)
				}
			})
		}()
	}
}

// arrange gives what is below the picture the room it needs now: wrapped text knows its height when it has its width.
func (e *editor) arrange() {
	e.below.Refresh()
	e.one.Refresh()
}

// factsOf tells the sizes of a picture.
func factsOf(info engine.PictureInfo) string {
	switch {
	case info.Pending:
		return lang.L("Looking at it …")
	case !info.Usable:
		return ""
	}
	return fmt.Sprintf(lang.L("%d × %d pixels, trained at %d × %d. Drag the frame to choose the part."), info.Width, info.Height, info.BucketWidth, info.BucketHeight)
}

// listIssues shows issues, each with an icon: colour alone says nothing to some.
func listIssues(into *fyne.Container, issues []engine.Issue) {
	into.RemoveAll()
	for _, issue := range issues {
		icon := theme.ColoredIcon("warning", fynetheme.ColorNameWarning)
		switch issue.Kind {
		case engine.IssueUnusable:
			icon = theme.ColoredIcon("bad", fynetheme.ColorNameError)
		case engine.IssueTurned:
			icon = theme.ColoredIcon("note", fynetheme.ColorNamePlaceHolder)
		}
		text := widget.NewLabel(speech.Of(issue.Text))
		text.Wrapping, text.SizeName = fyne.TextWrapWord, fynetheme.SizeNameCaptionText
		into.Add(container.NewBorder(nil, nil, container.NewCenter(widget.NewIcon(icon)), nil, text))
	}
	into.Refresh()
}

// typed takes over what was typed.
func (e *editor) typed(text string) {
	if e.fill || e.name == "" {
		return
	}
	if short := firstRunes(text, longestCaption); short != text {
		e.entry.SetText(short)
		return
	}
	e.page.setCaption(e.name, text)
	e.check()
}

// setCaption changes a picture's caption, here and on disk.
func (p *Page) setCaption(name, text string) {
	p.album.change(name, func(info *engine.PictureInfo) { info.Caption = strings.TrimSpace(text) })
	p.typed[name] = strings.TrimSpace(text)
	p.saver.put(name, text)
	if i := p.album.place(name); i >= 0 {
		p.grid.RefreshItem(i)
	}
}

// check asks the engine what is to be said about the caption. The first answer may take a moment.
func (e *editor) check() {
	e.seen++
	job := e.page.project.Job()
	seen, text := e.seen, e.entry.Text
	e.entry.SetPlaceHolder(placeholder(job))
	if e.name == "" {
		return
	}
	go func() {
		check := e.page.eng.CheckCaption(text, job.Word, job.Class)
		e.page.post(func() {
			if seen != e.seen {
				return
			}
			e.tokens.SetText(fmt.Sprintf(lang.L("%d of %d tokens"), check.Tokens, check.Limit))
			listIssues(e.remarks, check.Issues)
			e.arrange()
		})
	}()
}

// placeholder is what a picture without a caption is trained with.
func placeholder(job engine.Job) string {
	if subject := strings.TrimSpace(job.Word + " " + job.Class); subject != "" {
		return fmt.Sprintf(lang.L("Empty: trained as “a photo of a %s”"), subject)
	}
	return lang.L("What is in the picture?")
}

// cropped records a crop.
func (e *editor) cropped(crop engine.Crop) {
	name, folder := e.name, e.page.eng.Folder(e.page.project.Dir())
	info, ok := e.page.album.get(name)
	if !ok || info.Crop == crop {
		return
	}
	before := info.Crop
	e.page.album.change(name, func(info *engine.PictureInfo) { info.Crop = crop })
	e.page.undo.push(lang.L("Moved the frame"), func() error { return folder.SaveCrop(name, before) })
	e.page.bar.update()
	go func() {
		if err := folder.SaveCrop(name, crop); err != nil {
			e.page.post(func() { e.page.actions.Fail(err) })
		}
	}()
}

// firstRunes cuts a text after n characters.
func firstRunes(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}
